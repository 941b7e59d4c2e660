#include "diag/ollama/driver_search.h"

#include "diag/host/fake_host.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::ollama {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(DriverSearchTest, TheLibraryPathComesBeforeTheUsualPlaces) {
  host::FakeHost host;
  host.AddFile("/usr/lib/x86_64-linux-gnu/libcuda.so.570.124.06", "");
  host.AddLink("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "libcuda.so.570.124.06");
  host.AddFile("/opt/vgpu/lib/libvgpu-cuda.so", "");
  host.AddLink("/opt/vgpu/lib/libcuda.so.1", "libvgpu-cuda.so");
  EXPECT_THAT(FindDriverLibraries(host, {.library_dir = "/usr/local/lib/ollama",
                                         .library_path = "/opt/vgpu/lib",
                                         .root = ""}),
              ElementsAre("/opt/vgpu/lib/libvgpu-cuda.so",
                          "/usr/lib/x86_64-linux-gnu/libcuda.so.570.124.06"));
}

TEST(DriverSearchTest, WhereItDoesNotLookItFindsNothing) {
  host::FakeHost host;
  host.AddFile("/opt/vgpu/lib/libcuda.so.1", "");
  EXPECT_THAT(FindDriverLibraries(host, {.library_dir = "", .library_path = "", .root = ""}),
              IsEmpty());
}

}  // namespace
}  // namespace vgpu::ollama
