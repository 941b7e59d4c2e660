#include <errno.h>

#include <string>
#include <thread>

#include "shims/cuda/driver_fixture.h"

namespace vgpu::cuda {
namespace {

using StreamTest = DriverFixture;
using EventTest = DriverFixture;

CUstream Named(uintptr_t name) { return reinterpret_cast<CUstream>(name); }

TEST(BeforeInit, NothingWorks) {
  // The first test of the program: cuInit has not been called.
  CUstream stream;
  EXPECT_EQ(cuStreamCreate(&stream, 0), CUDA_ERROR_NOT_INITIALIZED);
  EXPECT_EQ(cuStreamSynchronize(nullptr), CUDA_ERROR_NOT_INITIALIZED);
  CUevent event;
  EXPECT_EQ(cuEventCreate(&event, 0), CUDA_ERROR_NOT_INITIALIZED);
  EXPECT_EQ(cuEventQuery(nullptr), CUDA_ERROR_NOT_INITIALIZED);
  CUgraph graph;
  EXPECT_EQ(cuGraphCreate(&graph, 0), CUDA_ERROR_NOT_INITIALIZED);
  CUmodule module;
  EXPECT_EQ(cuModuleLoadData(&module, "x"), CUDA_ERROR_NOT_INITIALIZED);
  EXPECT_EQ(cuLaunchKernel(nullptr, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr),
            CUDA_ERROR_NOT_INITIALIZED);
}

TEST_F(StreamTest, IsWhatItWasCreatedAs) {
  CUstream stream = nullptr;
  ASSERT_EQ(cuStreamCreateWithPriority(&stream, CU_STREAM_NON_BLOCKING, -3), CUDA_SUCCESS);
  unsigned flags = 0;
  EXPECT_EQ(cuStreamGetFlags(stream, &flags), CUDA_SUCCESS);
  EXPECT_EQ(flags, CU_STREAM_NON_BLOCKING);
  int priority = 1;
  EXPECT_EQ(cuStreamGetPriority(stream, &priority), CUDA_SUCCESS);
  EXPECT_EQ(priority, -3);
  CUcontext context = nullptr;
  EXPECT_EQ(cuStreamGetCtx(stream, &context), CUDA_SUCCESS);
  EXPECT_EQ(context, context_);
  CUdevice device = -1;
  EXPECT_EQ(cuStreamGetDevice(stream, &device), CUDA_SUCCESS);
  EXPECT_EQ(device, 0);
  EXPECT_EQ(cuStreamQuery(stream), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamDestroy_v2(stream), CUDA_SUCCESS);
}

TEST_F(StreamTest, PrioritiesAreThoseOfTheContextsRange) {
  int least = 1;
  int greatest = 1;
  ASSERT_EQ(cuCtxGetStreamPriorityRange(&least, &greatest), CUDA_SUCCESS);
  CUstream stream = nullptr;
  for (const auto& [asked, given] : {std::pair(-100, greatest), std::pair(100, least)}) {
    ASSERT_EQ(cuStreamCreateWithPriority(&stream, 0, asked), CUDA_SUCCESS);
    int priority = 1;
    EXPECT_EQ(cuStreamGetPriority(stream, &priority), CUDA_SUCCESS);
    EXPECT_EQ(priority, given);
    EXPECT_EQ(cuStreamDestroy_v2(stream), CUDA_SUCCESS);
  }
}

TEST_F(StreamTest, BadArgumentsAndHandlesAreErrors) {
  CUstream stream = nullptr;
  EXPECT_EQ(cuStreamCreate(nullptr, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuStreamCreate(&stream, 2), CUDA_ERROR_INVALID_VALUE);
  stream = Stream();
  EXPECT_EQ(cuStreamGetFlags(stream, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuStreamDestroy_v2(stream), CUDA_SUCCESS);
  // Gone, of another kind, invented.
  EXPECT_EQ(cuStreamSynchronize(stream), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuStreamDestroy_v2(stream), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuStreamQuery(Named(reinterpret_cast<uintptr_t>(context_))), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuStreamQuery(Named(0xdeadbeef)), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuStreamDestroy_v2(nullptr), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(StreamTest, DefaultStreamsNeedNoCreation) {
  for (uintptr_t name : {uintptr_t{0}, kStreamLegacy, kStreamPerThread}) {
    EXPECT_EQ(cuStreamSynchronize(Named(name)), CUDA_SUCCESS);
    unsigned flags = 7;
    EXPECT_EQ(cuStreamGetFlags(Named(name), &flags), CUDA_SUCCESS);
    EXPECT_EQ(flags, CU_STREAM_DEFAULT);
  }
}

TEST_F(StreamTest, IdsTellStreamsApart) {
  const auto id = [](CUstream stream) {
    unsigned long long value = 0;
    EXPECT_EQ(cuStreamGetId(stream, &value), CUDA_SUCCESS);
    return value;
  };
  CUstream a = Stream();
  CUstream b = Stream();
  EXPECT_NE(id(a), id(b));
  EXPECT_EQ(id(nullptr), id(Named(kStreamLegacy)));
  EXPECT_NE(id(nullptr), id(Named(kStreamPerThread)));
  EXPECT_NE(id(nullptr), id(a));
  unsigned long long other = 0;
  std::thread([&] {
    EXPECT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
    other = id(Named(kStreamPerThread));
  }).join();
  EXPECT_NE(other, id(Named(kStreamPerThread)));
}

TEST_F(StreamTest, AStreamKeepsTheAttributesThatAreSet) {
  CUstream stream = Stream();
  CUlaunchAttributeValue value = {};
  value.syncPolicy = CU_SYNC_POLICY_YIELD;
  EXPECT_EQ(cuStreamSetAttribute(stream, CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY, &value),
            CUDA_SUCCESS);
  CUstream copy = Stream();
  EXPECT_EQ(cuStreamCopyAttributes(copy, stream), CUDA_SUCCESS);
  value = {};
  EXPECT_EQ(cuStreamGetAttribute(copy, CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY, &value),
            CUDA_SUCCESS);
  EXPECT_EQ(value.syncPolicy, CU_SYNC_POLICY_YIELD);
  EXPECT_EQ(cuStreamGetAttribute(copy, static_cast<CUlaunchAttributeID>(99), &value),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(StreamTest, HostFunctionsRunInOrderBeforeTheCallReturns) {
  CUstream stream = Stream();
  std::string log;
  const auto append = [](void* text) { *static_cast<std::string*>(text) += 'h'; };
  EXPECT_EQ(cuLaunchHostFunc(stream, append, &log), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamAddCallback(
                stream,
                [](CUstream, CUresult result, void* text) {
                  *static_cast<std::string*>(text) += result == CUDA_SUCCESS ? 'c' : '!';
                },
                &log, 0),
            CUDA_SUCCESS);
  EXPECT_EQ(log, "hc");
  EXPECT_EQ(cuLaunchHostFunc(stream, nullptr, &log), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(StreamTest, AHostFunctionMayCallTheDriver) {
  CUstream stream = Stream();
  const auto call = [](void* result) {
    *static_cast<CUresult*>(result) = cuStreamSynchronize(nullptr);
  };
  CUresult result = CUDA_ERROR_UNKNOWN;
  EXPECT_EQ(cuLaunchHostFunc(stream, call, &result), CUDA_SUCCESS);
  EXPECT_EQ(result, CUDA_SUCCESS);
}

TEST_F(StreamTest, EndsWithItsContext) {
  CUstream stream = Stream();
  CUevent event = Event();
  ASSERT_EQ(cuCtxDestroy_v2(context_), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxCreate_v2(&context_, 0, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(stream), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuEventQuery(event), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(StreamTest, ErrnoIsKept) {
  errno = 4711;
  CUstream stream = Stream();
  EXPECT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamDestroy_v2(stream), CUDA_SUCCESS);
  EXPECT_EQ(errno, 4711);
}

TEST_F(StreamTest, MemoryOperationsAreNotSupportedAndTheAttributeSaysSo) {
  int value = -1;
  // CU_DEVICE_ATTRIBUTE_CAN_USE_STREAM_MEM_OPS
  EXPECT_EQ(cuDeviceGetAttribute(&value, static_cast<CUdevice_attribute>(92), 0), CUDA_SUCCESS);
  EXPECT_EQ(value, 0);
}

TEST_F(EventTest, TimeGoesForward) {
  CUevent first = Event();
  CUevent second = Event();
  ASSERT_EQ(cuEventRecord(first, nullptr), CUDA_SUCCESS);
  std::this_thread::sleep_for(std::chrono::milliseconds(3));
  ASSERT_EQ(cuEventRecord(second, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuEventSynchronize(second), CUDA_SUCCESS);
  float milliseconds = -1;
  EXPECT_EQ(cuEventElapsedTime(&milliseconds, first, second), CUDA_SUCCESS);
  EXPECT_GE(milliseconds, 3);
  EXPECT_LT(milliseconds, 3000);
  EXPECT_EQ(cuEventElapsedTime_v2(&milliseconds, second, first), CUDA_SUCCESS);
  EXPECT_LE(milliseconds, -3);
}

TEST_F(EventTest, HasATimeOnlyIfItWasRecordedWithOne) {
  CUevent timed = Event();
  CUevent untimed = Event(CU_EVENT_DISABLE_TIMING);
  CUevent never = Event();
  ASSERT_EQ(cuEventRecord(timed, nullptr), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(untimed, nullptr), CUDA_SUCCESS);
  float milliseconds;
  EXPECT_EQ(cuEventElapsedTime(&milliseconds, timed, untimed), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuEventElapsedTime(&milliseconds, timed, never), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuEventElapsedTime(nullptr, timed, timed), CUDA_ERROR_INVALID_VALUE);
  // What was never recorded has nothing to wait for.
  EXPECT_EQ(cuEventQuery(never), CUDA_SUCCESS);
}

TEST_F(EventTest, BadArgumentsAreErrors) {
  CUevent event;
  EXPECT_EQ(cuEventCreate(nullptr, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuEventCreate(&event, 8), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuEventCreate(&event, CU_EVENT_INTERPROCESS), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuEventRecord(nullptr, nullptr), CUDA_ERROR_INVALID_HANDLE);
  event = Event();
  EXPECT_EQ(cuEventRecordWithFlags(event, nullptr, 8), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuStreamWaitEvent(nullptr, event, 8), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuStreamWaitEvent(nullptr, event, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuEventDestroy_v2(event), CUDA_SUCCESS);
  EXPECT_EQ(cuEventDestroy_v2(event), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(EventTest, IsRecordedForAWholeContextToo) {
  CUevent event = Event();
  EXPECT_EQ(cuCtxRecordEvent(context_, event), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxWaitEvent(context_, event), CUDA_SUCCESS);
  float milliseconds = -1;
  EXPECT_EQ(cuEventElapsedTime(&milliseconds, event, event), CUDA_SUCCESS);
  EXPECT_EQ(milliseconds, 0);
  EXPECT_EQ(cuCtxRecordEvent(reinterpret_cast<CUcontext>(event), event),
            CUDA_ERROR_INVALID_CONTEXT);
}

TEST_F(EventTest, IsRecordedInStreamsOfItsOwnContext) {
  CUevent event = Event();
  CUcontext other;
  ASSERT_EQ(cuCtxCreate_v2(&other, 0, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuEventRecord(event, nullptr), CUDA_ERROR_INVALID_HANDLE);
  // Streams of any context may wait for it.
  EXPECT_EQ(cuStreamWaitEvent(nullptr, event, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxDestroy_v2(other), CUDA_SUCCESS);
}

TEST_F(StreamTest, ThreadsMayDoAllThisAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      ASSERT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
      for (int round = 0; round < 200; ++round) {
        CUstream stream = Stream();
        CUevent event = Event();
        CUdeviceptr pointer = Allocate(1024);
        EXPECT_EQ(cuMemsetD8Async(pointer, 7, 1024, stream), CUDA_SUCCESS);
        EXPECT_EQ(cuEventRecord(event, stream), CUDA_SUCCESS);
        EXPECT_EQ(cuStreamWaitEvent(Named(kStreamPerThread), event, 0), CUDA_SUCCESS);
        EXPECT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
        EXPECT_EQ(cuEventDestroy_v2(event), CUDA_SUCCESS);
        EXPECT_EQ(cuStreamDestroy_v2(stream), CUDA_SUCCESS);
        EXPECT_EQ(cuMemFree_v2(pointer), CUDA_SUCCESS);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace vgpu::cuda
