#include "shims/cudart/test_machine.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace vgpu::cudart {
namespace {

std::string NewUuid() {
  std::ifstream file("/proc/sys/kernel/random/uuid");
  std::string uuid;
  std::getline(file, uuid);
  return uuid;
}

}  // namespace

void UseTestMachine() {
  const char* directory = std::getenv("TEST_TMPDIR");
  std::string path = std::string(directory == nullptr ? "/tmp" : directory) + "/devices." +
                     std::to_string(getpid()) + ".toml";
  std::ofstream(path) << "[[device]]\nuuid = \"GPU-" << NewUuid() << "\"\n"
                      << "[[device]]\nprofile = \"l40s\"\nuuid = \"GPU-" << NewUuid() << "\"\n"
                      << "[driver]\nversion = \"580.65.06\"\ncuda_version = \"13.0\"\n";
  setenv("VGPU_CONFIG", path.c_str(), /*overwrite=*/1);
  unsetenv("CUDA_VISIBLE_DEVICES");
  setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID", /*overwrite=*/1);
}

}  // namespace vgpu::cudart
