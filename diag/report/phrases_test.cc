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

TEST(TitleTest, NamesTheVerdictAndEveryRootCause) {
  Report report;
  report.verdict = Verdict::kHealthy;
  EXPECT_EQ(Title(report), "HEALTHY");
  report.verdict = Verdict::kProblem;
  report.root_causes = {{.code = "VG203", .id = "daemon-reload-needed"}};
  EXPECT_EQ(Title(report), "PROBLEM: VG203 daemon-reload-needed");
  report.root_causes.push_back({.code = "VG506", .id = "llm-library-mismatch"});
  EXPECT_EQ(Title(report), "PROBLEM: VG203 daemon-reload-needed, VG506 llm-library-mismatch");
}

TEST(OnItsHostTest, NamesTheMachineThatWasCaptured) {
  Report report;
  report.host.source = "live";
  report.host.hostname = std::string("here");
  EXPECT_EQ(OnItsHost(report), "");
  report.host.source = "tree";
  EXPECT_EQ(OnItsHost(report), " on here");
  report.host.hostname = host::NotObserved{"not captured"};
  EXPECT_EQ(OnItsHost(report), " on the host itself");
}

TEST(WhoWasJudgedTest, ACaptureIsCalledOne) {
  const auto source = [](const Report& report) { return WhoWasJudged(report).back().second; };
  Report report;
  report.host.source = "tree";
  EXPECT_EQ(source(report).rfind("files of a host, ", 0), 0u);
  report.host.observed_at = absl::UnixEpoch();
  EXPECT_EQ(source(report).rfind("capture, ", 0), 0u);
  report.host.source = "live";
  EXPECT_EQ(source(report).rfind("live, ", 0), 0u);
}

}  // namespace
}  // namespace vgpu::report
