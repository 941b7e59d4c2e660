#include "diag/report/phrases.h"

#include "gtest/gtest.h"

namespace vgpu::report {
namespace {

TEST(IsCommandTest, ACommandBeginsWithAProgramOrWithItsVariables) {
  for (const char* command :
       {"sudo rm /etc/systemd/system/ollama.service.d/zz.conf && sudo systemctl daemon-reload",
        "readelf -lW /usr/lib64/libvgpu-exec.so", "journalctl -k | grep -E 'segfault|trap'",
        "LD_LIBRARY_PATH=/a:/b CUDA_VISIBLE_DEVICES=0 ldd -r /c.so", "vgpu-doctor verify",
        "find /usr /opt -name 'libvgpu-*.so' -exec ls -lc --full-time {} +"}) {
    EXPECT_TRUE(IsCommand(command)) << command;
  }
}

TEST(IsCommandTest, ASentenceIsNone) {
  for (const char* sentence :
       {"", "put the line back as it was", "set OLLAMA_DEBUG=1 in the unit and restart it",
        "run vgpu-doctor on the machine itself", "find out which program holds it",
        "OLLAMA_DEBUG=1 in the unit", "sudo rm /a, and the old line in the drop-in"}) {
    EXPECT_FALSE(IsCommand(sentence)) << sentence;
  }
}

}  // namespace
}  // namespace vgpu::report
