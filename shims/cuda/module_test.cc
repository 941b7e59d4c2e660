#include "shims/cuda/module.h"

#include <string.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "shims/cuda/driver_fixture.h"

namespace vgpu::cuda {
namespace {

constexpr char kPtx[] =
    ".version 8.0\n.target sm_80\n.address_size 64\n"
    ".global .align 8 .b8 table[100];\n"
    ".visible .entry add() { ret; }\n.visible .entry scale() { ret; }\n";

class ModuleTest : public DriverFixture {
 protected:
  void SetUp() override {
    DriverFixture::SetUp();
    ASSERT_EQ(cuModuleLoadData(&module_, kPtx), CUDA_SUCCESS);
    ASSERT_EQ(cuModuleGetFunction(&function_, module_, "add"), CUDA_SUCCESS);
  }

  int Attribute(CUfunction_attribute attribute) {
    int value = -1000;
    EXPECT_EQ(cuFuncGetAttribute(&value, attribute, function_), CUDA_SUCCESS);
    return value;
  }

  static CUresult Launch(CUfunction function, unsigned blocks = 1, unsigned threads = 32,
                         unsigned shared_bytes = 0) {
    return cuLaunchKernel(function, blocks, 1, 1, threads, 1, 1, shared_bytes, nullptr, nullptr,
                          nullptr);
  }

  CUmodule module_ = nullptr;
  CUfunction function_ = nullptr;
};

TEST_F(ModuleTest, FunctionsAreThoseThatItsImageNames) {
  CUfunction again = nullptr;
  EXPECT_EQ(cuModuleGetFunction(&again, module_, "add"), CUDA_SUCCESS);
  EXPECT_EQ(again, function_);
  EXPECT_EQ(cuModuleGetFunction(&again, module_, "no_such"), CUDA_ERROR_NOT_FOUND);
  EXPECT_EQ(cuModuleGetFunction(&again, module_, nullptr), CUDA_ERROR_INVALID_VALUE);
  unsigned count = 0;
  EXPECT_EQ(cuModuleGetFunctionCount(&count, module_), CUDA_SUCCESS);
  EXPECT_EQ(count, 2u);
  CUfunction all[2] = {};
  EXPECT_EQ(cuModuleEnumerateFunctions(all, 2, module_), CUDA_SUCCESS);
  const char* name = nullptr;
  EXPECT_EQ(cuFuncGetName(&name, all[1]), CUDA_SUCCESS);
  EXPECT_STREQ(name, "scale");
  CUmodule owner = nullptr;
  EXPECT_EQ(cuFuncGetModule(&owner, all[1]), CUDA_SUCCESS);
  EXPECT_EQ(owner, module_);
}

TEST_F(ModuleTest, VariablesAreDeviceMemoryOfTheirSize) {
  CUdeviceptr address = 0;
  size_t bytes = 0;
  ASSERT_EQ(cuModuleGetGlobal_v2(&address, &bytes, module_, "table"), CUDA_SUCCESS);
  EXPECT_EQ(bytes, 100u);
  EXPECT_EQ(Read(address, 100), std::vector<uint8_t>(100, 0));
  EXPECT_EQ(cuMemsetD8_v2(address, 1, 100), CUDA_SUCCESS);
  CUdeviceptr again = 0;
  EXPECT_EQ(cuModuleGetGlobal_v2(&again, nullptr, module_, "table"), CUDA_SUCCESS);
  EXPECT_EQ(again, address);
  EXPECT_EQ(cuModuleGetGlobal_v2(&again, nullptr, module_, "add"), CUDA_ERROR_NOT_FOUND);
  ASSERT_EQ(cuModuleUnload(module_), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD8_v2(address, 1, 100), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuModuleGetGlobal_v2(&again, nullptr, module_, "table"), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(ModuleTest, EveryNameIsInAnImageWhoseCodeIsCompressed) {
  // A fat binary: { magic, version, header's size, size }, one member for sm_90, flag Zstandard.
  std::string fat(16 + 64 + 8, '\0');
  const auto put = [&fat](size_t at, auto value) { memcpy(fat.data() + at, &value, sizeof value); };
  put(0, 0xba55ed50u);
  put(4, uint16_t{1});
  put(6, uint16_t{16});
  put(8, uint64_t{72});
  put(16, uint16_t{2});
  put(20, 64u);
  put(24, uint64_t{8});
  put(44, 90u);
  put(56, uint64_t{0x8011});
  CUmodule module = nullptr;
  ASSERT_EQ(cuModuleLoadFatBinary(&module, fat.data()), CUDA_SUCCESS);
  CUfunction function = nullptr;
  EXPECT_EQ(cuModuleGetFunction(&function, module, "whatever"), CUDA_SUCCESS);
  EXPECT_EQ(Launch(function), CUDA_ERROR_NOT_SUPPORTED);
  unsigned count = 0;
  EXPECT_EQ(cuModuleGetFunctionCount(&count, module), CUDA_ERROR_NOT_SUPPORTED);
}

TEST_F(ModuleTest, IsLoadedFromAFileToo) {
  const std::string path = testing::TempDir() + "/module.ptx";
  std::ofstream(path) << kPtx;
  CUmodule module = nullptr;
  EXPECT_EQ(cuModuleLoad(&module, path.c_str()), CUDA_SUCCESS);
  EXPECT_EQ(cuModuleLoad(&module, "/no/such/file"), CUDA_ERROR_FILE_NOT_FOUND);
  EXPECT_EQ(cuModuleLoad(&module, "/"), CUDA_ERROR_FILE_NOT_FOUND);
  std::ofstream(path) << "nothing";
  EXPECT_EQ(cuModuleLoad(&module, path.c_str()), CUDA_ERROR_INVALID_IMAGE);
  EXPECT_EQ(cuModuleLoad(&module, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuModuleLoadData(&module, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuModuleLoadData(&module, "nothing"), CUDA_ERROR_INVALID_IMAGE);
  unlink(path.c_str());
}

TEST_F(ModuleTest, ALaunchIsRefusedWithOneLine) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(Launch(function_), CUDA_ERROR_NOT_SUPPORTED);
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_EQ(line.substr(0, line.find(" pid=")),
            "level=error lib=libvgpu-cuda msg=\"kernel launch refused\" func=cuLaunchKernel "
            "device=0 reason=\"no compute backend\" kernel=add");
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST_F(ModuleTest, WhatIsWrongWithALaunchIsSaidFirst) {
  EXPECT_EQ(Launch(nullptr), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(Launch(reinterpret_cast<CUfunction>(module_)), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(Launch(function_, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(Launch(function_, 1, 1025), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(Launch(function_, 1, 32, 49153), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuFuncSetAttribute(function_, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 65536),
            CUDA_SUCCESS);
  EXPECT_EQ(Launch(function_, 1, 32, 49153), CUDA_ERROR_NOT_SUPPORTED);
}

TEST_F(ModuleTest, EveryKindOfLaunchIsRefused) {
  CUlaunchConfig config = {};
  config.gridDimX = config.gridDimY = config.gridDimZ = 1;
  config.blockDimX = config.blockDimY = config.blockDimZ = 1;
  EXPECT_EQ(cuLaunchKernelEx(&config, function_, nullptr, nullptr), CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(cuLaunchCooperativeKernel(function_, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr),
            CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(cuLaunch(function_), CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(cuLaunchGrid(function_, 1, 1), CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(cuLaunchGridAsync(function_, 1, 1, nullptr), CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(cuLaunchGrid(function_, -1, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuLaunchCooperativeKernelMultiDevice(&config, 1, 0), CUDA_ERROR_NOT_SUPPORTED);
}

TEST_F(ModuleTest, AFunctionHasTheAttributesOfAnUndemandingKernelWhereNothingIsKnown) {
  EXPECT_EQ(Attribute(CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK), 1024);
  EXPECT_EQ(Attribute(CU_FUNC_ATTRIBUTE_NUM_REGS), 32);
  EXPECT_EQ(Attribute(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES), 0);
  EXPECT_EQ(Attribute(CU_FUNC_ATTRIBUTE_PTX_VERSION), 80);
  EXPECT_EQ(Attribute(CU_FUNC_ATTRIBUTE_BINARY_VERSION), 90);
  EXPECT_EQ(Attribute(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES), 49152);
  EXPECT_EQ(Attribute(CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT), -1);
  int value;
  EXPECT_EQ(cuFuncGetAttribute(&value, static_cast<CUfunction_attribute>(99), function_),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuFuncSetAttribute(function_, CU_FUNC_ATTRIBUTE_NUM_REGS, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuFuncSetAttribute(function_, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 232449),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(ModuleTest, OccupancyIsThatOfTheDevice) {
  int blocks = -1;
  EXPECT_EQ(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function_, 256, 0), CUDA_SUCCESS);
  EXPECT_EQ(blocks, 8);
  int grid = 0;
  int block = 0;
  EXPECT_EQ(cuOccupancyMaxPotentialBlockSize(&grid, &block, function_, nullptr, 0, 0),
            CUDA_SUCCESS);
  EXPECT_EQ(block, 1024);
  EXPECT_EQ(grid, 2 * 132);
  const auto bytes_of = [](int threads) { return static_cast<size_t>(threads) * 200; };
  EXPECT_EQ(cuOccupancyMaxPotentialBlockSize(&grid, &block, function_, bytes_of, 0, 0),
            CUDA_SUCCESS);
  EXPECT_LT(block, 1024);
  size_t bytes = 0;
  EXPECT_EQ(cuOccupancyAvailableDynamicSMemPerBlock(&bytes, function_, 2, 256), CUDA_SUCCESS);
  EXPECT_EQ(bytes, 233472u / 2 - 1024);
  EXPECT_EQ(cuOccupancyMaxActiveBlocksPerMultiprocessor(nullptr, function_, 256, 0),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(ModuleTest, ALibraryIsLoadedIntoEachContextThatAsks) {
  CUlibrary library = nullptr;
  ASSERT_EQ(cuLibraryLoadData(&library, kPtx, nullptr, nullptr, 0, nullptr, nullptr, 0),
            CUDA_SUCCESS);
  unsigned count = 0;
  EXPECT_EQ(cuLibraryGetKernelCount(&count, library), CUDA_SUCCESS);
  EXPECT_EQ(count, 2u);
  CUkernel kernel = nullptr;
  ASSERT_EQ(cuLibraryGetKernel(&kernel, library, "scale"), CUDA_SUCCESS);
  EXPECT_EQ(cuLibraryGetKernel(&kernel, library, "none"), CUDA_ERROR_NOT_FOUND);
  CUfunction here = nullptr;
  ASSERT_EQ(cuKernelGetFunction(&here, kernel), CUDA_SUCCESS);
  EXPECT_EQ(Launch(here), CUDA_ERROR_NOT_SUPPORTED);
  // A launch takes the kernel itself too.
  EXPECT_EQ(Launch(reinterpret_cast<CUfunction>(kernel)), CUDA_ERROR_NOT_SUPPORTED);
  CUmodule module = nullptr;
  ASSERT_EQ(cuLibraryGetModule(&module, library), CUDA_SUCCESS);
  EXPECT_EQ(cuModuleUnload(module), CUDA_ERROR_NOT_PERMITTED);
  CUcontext other = nullptr;
  ASSERT_EQ(cuCtxCreate_v2(&other, 0, 0), CUDA_SUCCESS);
  CUfunction there = nullptr;
  ASSERT_EQ(cuKernelGetFunction(&there, kernel), CUDA_SUCCESS);
  EXPECT_NE(here, there);
  int value = 0;
  EXPECT_EQ(cuKernelGetAttribute(&value, CU_FUNC_ATTRIBUTE_NUM_REGS, kernel, 0), CUDA_SUCCESS);
  EXPECT_EQ(value, 32);
  EXPECT_EQ(cuLibraryUnload(library), CUDA_SUCCESS);
  EXPECT_EQ(cuLibraryUnload(library), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(Launch(there), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuCtxDestroy_v2(other), CUDA_SUCCESS);
}

TEST_F(ModuleTest, EndsWithItsContext) {
  ASSERT_EQ(cuCtxDestroy_v2(context_), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxCreate_v2(&context_, 0, 0), CUDA_SUCCESS);
  const char* name;
  EXPECT_EQ(cuFuncGetName(&name, function_), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuModuleUnload(module_), CUDA_ERROR_INVALID_HANDLE);
}

using TextureTest = DriverFixture;

TEST_F(TextureTest, ShowsWhatItWasMadeOf) {
  CUDA_RESOURCE_DESC resource = {};
  resource.resType = CU_RESOURCE_TYPE_LINEAR;
  resource.res.linear.devPtr = Allocate(64);
  resource.res.linear.format = CU_AD_FORMAT_FLOAT;
  resource.res.linear.numChannels = 1;
  resource.res.linear.sizeInBytes = 64;
  CUDA_TEXTURE_DESC texture = {};
  texture.maxAnisotropy = 4;
  CUtexObject object = 0;
  ASSERT_EQ(cuTexObjectCreate(&object, &resource, &texture, nullptr), CUDA_SUCCESS);
  CUDA_RESOURCE_DESC shown = {};
  EXPECT_EQ(cuTexObjectGetResourceDesc(&shown, object), CUDA_SUCCESS);
  EXPECT_EQ(shown.res.linear.devPtr, resource.res.linear.devPtr);
  CUDA_TEXTURE_DESC shown_texture = {};
  EXPECT_EQ(cuTexObjectGetTextureDesc(&shown_texture, object), CUDA_SUCCESS);
  EXPECT_EQ(shown_texture.maxAnisotropy, 4u);
  CUDA_RESOURCE_VIEW_DESC view;
  EXPECT_EQ(cuTexObjectGetResourceViewDesc(&view, object), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuTexObjectDestroy(object), CUDA_SUCCESS);
  EXPECT_EQ(cuTexObjectDestroy(object), CUDA_ERROR_INVALID_HANDLE);
  resource.res.linear.sizeInBytes = 1u << 20;
  EXPECT_EQ(cuTexObjectCreate(&object, &resource, &texture, nullptr), CUDA_ERROR_INVALID_VALUE);
  CUsurfObject surface = 0;
  EXPECT_EQ(cuSurfObjectCreate(&surface, &resource), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(TextureTest, NoDeviceDrawsAndNoProfilerListens) {
  unsigned count = 7;
  CUdevice devices[2];
  EXPECT_EQ(cuGLGetDevices_v2(&count, devices, 2, 1), CUDA_ERROR_NO_DEVICE);
  EXPECT_EQ(count, 0u);
  EXPECT_EQ(cuProfilerStart(), CUDA_SUCCESS);
  EXPECT_EQ(cuProfilerStop(), CUDA_SUCCESS);
}

}  // namespace
}  // namespace vgpu::cuda
