#include <functional>
#include <string>

#include "shims/cuda/driver_fixture.h"

namespace vgpu::cuda {
namespace {

using Bytes = std::vector<uint8_t>;

class GraphTest : public DriverFixture {
 protected:
  void SetUp() override {
    DriverFixture::SetUp();
    ASSERT_EQ(cuGraphCreate(&graph_, 0), CUDA_SUCCESS);
    memory_ = Allocate(16);
  }
  void TearDown() override {
    EXPECT_EQ(cuGraphDestroy(graph_), CUDA_SUCCESS);
    DriverFixture::TearDown();
  }

  CUgraphNode AddSet(uint8_t value, const std::vector<CUgraphNode>& after, size_t offset = 0,
                     size_t width = 16) {
    const CUDA_MEMSET_NODE_PARAMS_v1 set = {.dst = memory_ + offset,
                                            .pitch = 0,
                                            .value = value,
                                            .elementSize = 1,
                                            .width = width,
                                            .height = 1};
    CUgraphNode node = nullptr;
    EXPECT_EQ(cuGraphAddMemsetNode(&node, graph_, after.data(), after.size(), &set, context_),
              CUDA_SUCCESS);
    return node;
  }

  CUgraphNode AddHost(std::function<void()>* function, const std::vector<CUgraphNode>& after) {
    const CUDA_HOST_NODE_PARAMS_v1 host = {
        .fn = [](void* f) { (*static_cast<std::function<void()>*>(f))(); }, .userData = function};
    CUgraphNode node = nullptr;
    EXPECT_EQ(cuGraphAddHostNode(&node, graph_, after.data(), after.size(), &host), CUDA_SUCCESS);
    return node;
  }

  CUgraphExec Ready() const {
    CUgraphExec exec = nullptr;
    EXPECT_EQ(cuGraphInstantiateWithFlags(&exec, graph_, 0), CUDA_SUCCESS);
    return exec;
  }

  CUgraph graph_ = nullptr;
  CUdeviceptr memory_ = 0;
};

TEST_F(GraphTest, IsDoneWhenItIsLaunchedAndAsOftenAsItIs) {
  AddSet(5, {});
  CUgraphExec exec = Ready();
  EXPECT_EQ(Read(memory_, 16), Bytes(16, 0));
  EXPECT_EQ(cuGraphLaunch(exec, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(Read(memory_, 16), Bytes(16, 5));
  ASSERT_EQ(cuMemsetD8_v2(memory_, 0, 16), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphLaunch(exec, Stream()), CUDA_SUCCESS);
  EXPECT_EQ(Read(memory_, 16), Bytes(16, 5));
  EXPECT_EQ(cuGraphExecDestroy(exec), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphLaunch(exec, nullptr), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, DoesNodesAfterThoseThatTheyDependOn) {
  std::string log;
  std::function<void()> a = [&] { log += 'a'; };
  std::function<void()> b = [&] { log += 'b'; };
  std::function<void()> c = [&] { log += 'c'; };
  CUgraphNode last = AddHost(&c, {});
  CUgraphNode first = AddHost(&a, {});
  CUgraphNode second = AddHost(&b, {first});
  ASSERT_EQ(cuGraphAddDependencies(graph_, &second, &last, 1), CUDA_SUCCESS);
  CUgraphExec exec = Ready();
  EXPECT_EQ(cuGraphLaunch(exec, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(log, "abc");
  // A circle is no order.
  ASSERT_EQ(cuGraphAddDependencies(graph_, &last, &first, 1), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphInstantiateWithFlags(&exec, graph_, 0), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuGraphRemoveDependencies(graph_, &last, &first, 1), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphRemoveDependencies(graph_, &last, &first, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphInstantiateWithFlags(&exec, graph_, 0), CUDA_SUCCESS);
}

TEST_F(GraphTest, CopiesBothWays) {
  uint8_t from[16];
  uint8_t to[16] = {};
  for (int i = 0; i < 16; ++i) from[i] = static_cast<uint8_t>(i * 3);
  CUDA_MEMCPY3D up = {};
  up.srcMemoryType = CU_MEMORYTYPE_HOST;
  up.srcHost = from;
  up.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  up.dstDevice = memory_;
  up.WidthInBytes = 16;
  up.Height = up.Depth = 1;
  CUDA_MEMCPY3D down = {};
  down.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  down.srcDevice = memory_;
  down.dstMemoryType = CU_MEMORYTYPE_HOST;
  down.dstHost = to;
  down.WidthInBytes = 16;
  down.Height = down.Depth = 1;
  CUgraphNode first = nullptr;
  CUgraphNode second = nullptr;
  ASSERT_EQ(cuGraphAddMemcpyNode(&first, graph_, nullptr, 0, &up, context_), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphAddMemcpyNode(&second, graph_, &first, 1, &down, context_), CUDA_SUCCESS);
  CUgraphExec exec = Ready();
  EXPECT_EQ(cuGraphLaunch(exec, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(Bytes(to, to + 16), Bytes(from, from + 16));
  CUDA_MEMCPY3D shown = {};
  EXPECT_EQ(cuGraphMemcpyNodeGetParams(second, &shown), CUDA_SUCCESS);
  EXPECT_EQ(shown.dstHost, to);
  EXPECT_EQ(shown.srcDevice, memory_);
  EXPECT_EQ(shown.WidthInBytes, 16u);
  // A copy that does not fit is an error of the launch, and harms nobody.
  down.WidthInBytes = 1u << 30;
  EXPECT_EQ(cuGraphExecMemcpyNodeSetParams(exec, second, &down, context_), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphLaunch(exec, nullptr), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, CanBeLookedAt) {
  CUgraphNode a = AddSet(1, {});
  CUgraphNode b = AddSet(2, {a});
  CUgraphNode c = AddSet(3, {a, b});
  size_t count = 0;
  EXPECT_EQ(cuGraphGetNodes(graph_, nullptr, &count), CUDA_SUCCESS);
  EXPECT_EQ(count, 3u);
  CUgraphNode nodes[5];
  count = 5;
  EXPECT_EQ(cuGraphGetNodes(graph_, nodes, &count), CUDA_SUCCESS);
  EXPECT_EQ(count, 3u);
  EXPECT_EQ(nodes[0], a);
  EXPECT_EQ(nodes[4], nullptr);
  count = 5;
  EXPECT_EQ(cuGraphGetRootNodes(graph_, nodes, &count), CUDA_SUCCESS);
  EXPECT_EQ(count, 1u);
  CUgraphNode from[5];
  CUgraphNode to[5];
  count = 5;
  EXPECT_EQ(cuGraphGetEdges(graph_, from, to, &count), CUDA_SUCCESS);
  EXPECT_EQ(count, 3u);
  count = 2;
  EXPECT_EQ(cuGraphNodeGetDependencies(c, nodes, &count), CUDA_SUCCESS);
  EXPECT_EQ(std::vector<CUgraphNode>(nodes, nodes + 2), (std::vector<CUgraphNode>{a, b}));
  count = 5;
  EXPECT_EQ(cuGraphNodeGetDependentNodes(a, nodes, &count), CUDA_SUCCESS);
  EXPECT_EQ(count, 2u);
  CUgraphNodeType type;
  EXPECT_EQ(cuGraphNodeGetType(b, &type), CUDA_SUCCESS);
  EXPECT_EQ(type, CU_GRAPH_NODE_TYPE_MEMSET);
  EXPECT_EQ(cuGraphDestroyNode(b), CUDA_SUCCESS);
  count = 5;
  EXPECT_EQ(cuGraphGetEdges(graph_, from, to, &count), CUDA_SUCCESS);
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(cuGraphNodeGetType(b, &type), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, AChildIsACopyThatIsDoneInItsPlace) {
  AddSet(1, {});
  CUgraph parent;
  ASSERT_EQ(cuGraphCreate(&parent, 0), CUDA_SUCCESS);
  CUgraphNode node;
  ASSERT_EQ(cuGraphAddChildGraphNode(&node, parent, nullptr, 0, graph_), CUDA_SUCCESS);
  AddSet(9, {});  // too late for the copy
  CUgraph child;
  ASSERT_EQ(cuGraphChildGraphNodeGetGraph(node, &child), CUDA_SUCCESS);
  EXPECT_NE(child, graph_);
  EXPECT_EQ(cuGraphDestroy(child), CUDA_ERROR_INVALID_VALUE);
  CUgraphExec exec;
  ASSERT_EQ(cuGraphInstantiateWithFlags(&exec, parent, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphLaunch(exec, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(Read(memory_, 16), Bytes(16, 1));
  EXPECT_EQ(cuGraphDestroy(parent), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroyNode(node), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, AnUpdateTakesNewValuesAndNoNewShape) {
  CUgraphNode node = AddSet(1, {});
  CUgraphExec exec = Ready();
  const CUDA_MEMSET_NODE_PARAMS_v1 set = {
      .dst = memory_, .pitch = 0, .value = 7, .elementSize = 1, .width = 16, .height = 1};
  ASSERT_EQ(cuGraphMemsetNodeSetParams(node, &set), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphLaunch(exec, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(Read(memory_, 16), Bytes(16, 1));
  CUgraphExecUpdateResultInfo info;
  EXPECT_EQ(cuGraphExecUpdate_v2(exec, graph_, &info), CUDA_SUCCESS);
  EXPECT_EQ(info.result, CU_GRAPH_EXEC_UPDATE_SUCCESS);
  EXPECT_EQ(cuGraphLaunch(exec, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(Read(memory_, 16), Bytes(16, 7));
  CUgraphNode more;
  ASSERT_EQ(cuGraphAddEmptyNode(&more, graph_, &node, 1), CUDA_SUCCESS);
  CUgraphNode bad;
  CUgraphExecUpdateResult result;
  EXPECT_EQ(cuGraphExecUpdate(exec, graph_, &bad, &result), CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
  EXPECT_EQ(result, CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED);
}

TEST_F(GraphTest, ANodeCanBeSwitchedOff) {
  CUgraphNode node = AddSet(1, {});
  AddSet(2, {node}, 0, 4);
  CUgraphExec exec = Ready();
  EXPECT_EQ(cuGraphNodeSetEnabled(exec, node, 0), CUDA_SUCCESS);
  unsigned enabled = 1;
  EXPECT_EQ(cuGraphNodeGetEnabled(exec, node, &enabled), CUDA_SUCCESS);
  EXPECT_EQ(enabled, 0u);
  EXPECT_EQ(cuGraphLaunch(exec, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(Read(memory_, 5), (Bytes{2, 2, 2, 2, 0}));
}

TEST_F(GraphTest, ACloneIsFoundByItsOriginals) {
  CUgraphNode node = AddSet(1, {});
  CUgraph clone;
  ASSERT_EQ(cuGraphClone(&clone, graph_), CUDA_SUCCESS);
  CUgraphNode copy = nullptr;
  EXPECT_EQ(cuGraphNodeFindInClone(&copy, node, clone), CUDA_SUCCESS);
  EXPECT_NE(copy, node);
  EXPECT_EQ(cuGraphNodeFindInClone(&copy, copy, clone), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphDestroy(clone), CUDA_SUCCESS);
}

TEST_F(GraphTest, EventsAreRecordedAtTheLaunch) {
  CUevent before = Event();
  CUevent event = Event();
  CUgraphNode node;
  ASSERT_EQ(cuGraphAddEventRecordNode(&node, graph_, nullptr, 0, event), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphAddEventWaitNode(&node, graph_, &node, 1, event), CUDA_SUCCESS);
  CUgraphExec exec = Ready();
  ASSERT_EQ(cuEventRecord(before, nullptr), CUDA_SUCCESS);
  float milliseconds;
  EXPECT_EQ(cuEventElapsedTime(&milliseconds, before, event), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuGraphLaunch(exec, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuEventElapsedTime(&milliseconds, before, event), CUDA_SUCCESS);
  EXPECT_GE(milliseconds, 0);
}

TEST_F(GraphTest, TheGeneralFormAddsTheSame) {
  CUgraphNodeParams set = {};
  set.type = CU_GRAPH_NODE_TYPE_MEMSET;
  set.memset = {
      .set = {.dst = memory_, .pitch = 0, .value = 3, .elementSize = 1, .width = 16, .height = 1},
      .ctx = context_};
  CUgraphNode node;
  ASSERT_EQ(cuGraphAddNode(&node, graph_, nullptr, 0, &set), CUDA_SUCCESS);
  CUgraphExec exec = Ready();
  set.memset.set.value = 4;
  EXPECT_EQ(cuGraphExecNodeSetParams(exec, node, &set), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphLaunch(exec, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(Read(memory_, 16), Bytes(16, 4));
}

TEST_F(GraphTest, NoKernelGetsIn) {
  CUgraphNodeParams kernel = {};
  kernel.type = CU_GRAPH_NODE_TYPE_KERNEL;
  CUgraphNode node;
  EXPECT_EQ(cuGraphAddNode_v2(&node, graph_, nullptr, nullptr, 0, &kernel),
            CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(cuGraphAddKernelNode_v2(&node, graph_, nullptr, 0, &kernel), CUDA_ERROR_NOT_SUPPORTED);
  size_t count = 1;
  EXPECT_EQ(cuGraphGetNodes(graph_, nullptr, &count), CUDA_SUCCESS);
  EXPECT_EQ(count, 0u);
}

TEST_F(GraphTest, BadArgumentsAreErrors) {
  CUgraph other;
  ASSERT_EQ(cuGraphCreate(&other, 0), CUDA_SUCCESS);
  CUgraphNode node = AddSet(1, {});
  CUgraphNode out;
  EXPECT_EQ(cuGraphCreate(nullptr, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphCreate(&other, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphAddEmptyNode(&out, other, &node, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphAddEmptyNode(&out, other, nullptr, 1), CUDA_ERROR_INVALID_VALUE);
  const CUgraphNode twice[] = {node, node};
  EXPECT_EQ(cuGraphAddEmptyNode(&out, graph_, twice, 2), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphAddChildGraphNode(&out, other, nullptr, 0, other), CUDA_ERROR_INVALID_VALUE);
  const CUDA_HOST_NODE_PARAMS_v1 host = {.fn = nullptr, .userData = nullptr};
  EXPECT_EQ(cuGraphAddHostNode(&out, other, nullptr, 0, &host), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphHostNodeSetParams(node, &host), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphGetNodes(nullptr, nullptr, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphDestroy(other), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroy(other), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, TellsWhatIsInANodeAndWhichItIs) {
  CUgraphNode a = AddSet(3, {});
  CUgraphNode b = AddSet(4, {});
  CUgraphNodeParams params;
  ASSERT_EQ(cuGraphNodeGetParams(b, &params), CUDA_SUCCESS);
  EXPECT_EQ(params.type, CU_GRAPH_NODE_TYPE_MEMSET);
  EXPECT_EQ(params.memset.set.value, 4u);
  EXPECT_EQ(params.memset.ctx, context_);
  params.memset.set.value = 5;
  EXPECT_EQ(cuGraphNodeSetParams_v2(b, &params), CUDA_SUCCESS);
  CUgraph graph = nullptr;
  EXPECT_EQ(cuGraphNodeGetContainingGraph(b, &graph), CUDA_SUCCESS);
  EXPECT_EQ(graph, graph_);
  unsigned first = 0;
  unsigned second = 0;
  EXPECT_EQ(cuGraphNodeGetLocalId(a, &first), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphNodeGetLocalId(b, &second), CUDA_SUCCESS);
  EXPECT_NE(first, second);
  EXPECT_EQ(cuGraphGetId(graph_, &first), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphExecGetId(Ready(), &second), CUDA_SUCCESS);
  EXPECT_NE(first, second);
}

// --- Objects that live as long as graphs

class UserObjectTest : public GraphTest {
 protected:
  void SetUp() override {
    GraphTest::SetUp();
    // It may call the driver: nothing holds its lock.
    const auto end = [](void* count) {
      EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
      ++*static_cast<int*>(count);
    };
    ASSERT_EQ(cuUserObjectCreate(&object_, &ended_, end, 1, 1), CUDA_SUCCESS);
  }

  CUuserObject object_ = nullptr;
  int ended_ = 0;
};

TEST_F(UserObjectTest, EndsWithItsLastReference) {
  EXPECT_EQ(cuUserObjectRetain(object_, 2), CUDA_SUCCESS);
  EXPECT_EQ(cuUserObjectRelease(object_, 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuUserObjectRelease(object_, 2), CUDA_SUCCESS);
  EXPECT_EQ(ended_, 0);
  EXPECT_EQ(cuUserObjectRelease(object_, 1), CUDA_SUCCESS);
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(cuUserObjectRelease(object_, 1), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(UserObjectTest, LivesAsLongAsTheGraphsThatHoldIt) {
  CUgraph graph;
  ASSERT_EQ(cuGraphCreate(&graph, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphRetainUserObject(graph, object_, 1, 1), CUDA_SUCCESS);  // moved
  CUgraph clone;
  ASSERT_EQ(cuGraphClone(&clone, graph), CUDA_SUCCESS);
  CUgraphExec exec;
  ASSERT_EQ(cuGraphInstantiateWithFlags(&exec, graph, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroy(clone), CUDA_SUCCESS);
  EXPECT_EQ(ended_, 0);
  EXPECT_EQ(cuGraphExecDestroy(exec), CUDA_SUCCESS);
  EXPECT_EQ(ended_, 1);
}

TEST_F(UserObjectTest, IsReleasedByAGraphThatHoldsIt) {
  EXPECT_EQ(cuGraphReleaseUserObject(graph_, object_, 1), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuGraphRetainUserObject(graph_, object_, 2, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuUserObjectRelease(object_, 1), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphReleaseUserObject(graph_, object_, 1), CUDA_SUCCESS);
  EXPECT_EQ(ended_, 0);
  EXPECT_EQ(cuGraphReleaseUserObject(graph_, object_, 1), CUDA_SUCCESS);
  EXPECT_EQ(ended_, 1);
}

// --- Capture

class CaptureTest : public GraphTest {
 protected:
  void SetUp() override {
    GraphTest::SetUp();
    stream_ = Stream();
    ASSERT_EQ(cuStreamBeginCapture_v2(stream_, CU_STREAM_CAPTURE_MODE_RELAXED), CUDA_SUCCESS);
  }

  static CUstreamCaptureStatus Status(CUstream stream) {
    auto status = static_cast<CUstreamCaptureStatus>(-1);
    EXPECT_EQ(cuStreamIsCapturing(stream, &status), CUDA_SUCCESS);
    return status;
  }

  CUresult End() { return cuStreamEndCapture(stream_, &captured_); }

  Bytes LaunchCaptured() {
    CUgraphExec exec = nullptr;
    EXPECT_EQ(cuGraphInstantiateWithFlags(&exec, captured_, 0), CUDA_SUCCESS);
    EXPECT_EQ(cuGraphLaunch(exec, nullptr), CUDA_SUCCESS);
    EXPECT_EQ(cuGraphExecDestroy(exec), CUDA_SUCCESS);
    return Read(memory_, 4);
  }

  CUstream stream_ = nullptr;
  CUgraph captured_ = nullptr;
};

TEST_F(CaptureTest, NotesWhatItIsGivenAndDoesNothing) {
  EXPECT_EQ(Status(stream_), CU_STREAM_CAPTURE_STATUS_ACTIVE);
  const uint8_t source[4] = {4, 3, 2, 1};
  EXPECT_EQ(cuMemsetD8Async(memory_, 9, 4, stream_), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyHtoDAsync_v2(memory_, source, 2, stream_), CUDA_SUCCESS);
  EXPECT_EQ(Read(memory_, 4), Bytes(4, 0));
  ASSERT_EQ(End(), CUDA_SUCCESS);
  EXPECT_EQ(Status(stream_), CU_STREAM_CAPTURE_STATUS_NONE);
  EXPECT_EQ(LaunchCaptured(), (Bytes{4, 3, 9, 9}));
  EXPECT_EQ(cuGraphDestroy(captured_), CUDA_SUCCESS);
  // The stream is a stream again.
  EXPECT_EQ(cuMemsetD8Async(memory_, 1, 4, stream_), CUDA_SUCCESS);
  EXPECT_EQ(Read(memory_, 4), Bytes(4, 1));
}

TEST_F(CaptureTest, HostFunctionsWaitForTheLaunch) {
  int calls = 0;
  EXPECT_EQ(cuLaunchHostFunc(
                stream_, [](void* n) { ++*static_cast<int*>(n); }, &calls),
            CUDA_SUCCESS);
  ASSERT_EQ(End(), CUDA_SUCCESS);
  EXPECT_EQ(calls, 0);
  LaunchCaptured();
  EXPECT_EQ(calls, 1);
}

TEST_F(CaptureTest, OtherStreamsJoinByAnEventAndComeBackByOne) {
  CUstream other = Stream();
  CUevent fork = Event();
  CUevent join = Event();
  EXPECT_EQ(cuMemsetD8Async(memory_, 1, 4, stream_), CUDA_SUCCESS);
  EXPECT_EQ(cuEventRecord(fork, stream_), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamWaitEvent(other, fork, 0), CUDA_SUCCESS);
  EXPECT_EQ(Status(other), CU_STREAM_CAPTURE_STATUS_ACTIVE);
  EXPECT_EQ(cuMemsetD8Async(memory_, 2, 2, other), CUDA_SUCCESS);
  EXPECT_EQ(cuEventRecord(join, other), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamEndCapture(other, &captured_), CUDA_ERROR_STREAM_CAPTURE_UNMATCHED);
  EXPECT_EQ(cuStreamWaitEvent(stream_, join, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD8Async(memory_, 3, 1, stream_), CUDA_SUCCESS);
  ASSERT_EQ(End(), CUDA_SUCCESS);
  EXPECT_EQ(Status(other), CU_STREAM_CAPTURE_STATUS_NONE);
  EXPECT_EQ(LaunchCaptured(), (Bytes{3, 2, 1, 1}));
  // The event is of the graph until it is recorded again.
  EXPECT_EQ(cuEventQuery(fork), CUDA_ERROR_CAPTURED_EVENT);
  EXPECT_EQ(cuEventRecord(fork, stream_), CUDA_SUCCESS);
  EXPECT_EQ(cuEventQuery(fork), CUDA_SUCCESS);
}

TEST_F(CaptureTest, EndsInAnErrorIfAStreamDidNotComeBack) {
  CUstream other = Stream();
  CUevent fork = Event();
  EXPECT_EQ(cuEventRecord(fork, stream_), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamWaitEvent(other, fork, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD8Async(memory_, 2, 2, other), CUDA_SUCCESS);
  EXPECT_EQ(End(), CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
  EXPECT_EQ(captured_, nullptr);
  EXPECT_EQ(Status(stream_), CU_STREAM_CAPTURE_STATUS_NONE);
  EXPECT_EQ(Status(other), CU_STREAM_CAPTURE_STATUS_NONE);
}

TEST_F(CaptureTest, AKernelMakesItInvalidBecauseTheGraphWouldDoAllButTheKernel) {
  const char ptx[] = ".version 8.0\n.target sm_80\n.visible .entry k() { ret; }\n";
  CUmodule module;
  CUfunction function;
  ASSERT_EQ(cuModuleLoadData(&module, ptx), CUDA_SUCCESS);
  ASSERT_EQ(cuModuleGetFunction(&function, module, "k"), CUDA_SUCCESS);
  EXPECT_EQ(cuLaunchKernel(function, 1, 1, 1, 32, 1, 1, 0, stream_, nullptr, nullptr),
            CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(Status(stream_), CU_STREAM_CAPTURE_STATUS_INVALIDATED);
  EXPECT_EQ(cuMemsetD8Async(memory_, 1, 1, stream_), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  EXPECT_EQ(End(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  EXPECT_EQ(captured_, nullptr);
  EXPECT_EQ(Status(stream_), CU_STREAM_CAPTURE_STATUS_NONE);
}

TEST_F(CaptureTest, WhatCannotBeCapturedMakesItInvalid) {
  EXPECT_EQ(cuStreamSynchronize(stream_), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(End(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  ASSERT_EQ(cuStreamBeginCapture_v2(stream_, CU_STREAM_CAPTURE_MODE_GLOBAL), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamBeginCapture_v2(stream_, CU_STREAM_CAPTURE_MODE_GLOBAL),
            CUDA_ERROR_ILLEGAL_STATE);
  CUdeviceptr pointer = 0;
  EXPECT_EQ(cuMemAllocAsync(&pointer, 16, stream_), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(End(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  EXPECT_EQ(End(), CUDA_ERROR_ILLEGAL_STATE);
}

TEST_F(CaptureTest, OutsideWorkIsNotWaitedFor) {
  CUevent event = Event();
  EXPECT_EQ(cuEventRecord(event, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamWaitEvent(stream_, event, 0), CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
  EXPECT_EQ(End(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
}

TEST_F(CaptureTest, TheLegacyStreamCannotWaitForABlockingStreamsCapture) {
  CUstream blocking = Stream(CU_STREAM_DEFAULT);
  ASSERT_EQ(cuStreamBeginCapture_v2(blocking, CU_STREAM_CAPTURE_MODE_RELAXED), CUDA_SUCCESS);
  CUstreamCaptureStatus status;
  EXPECT_EQ(cuStreamIsCapturing(nullptr, &status), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  EXPECT_EQ(Status(blocking), CU_STREAM_CAPTURE_STATUS_ACTIVE);
  EXPECT_EQ(cuStreamSynchronize(nullptr), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  EXPECT_EQ(Status(blocking), CU_STREAM_CAPTURE_STATUS_INVALIDATED);
  CUgraph graph;
  EXPECT_EQ(cuStreamEndCapture(blocking, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  // This fixture's stream blocks nobody.
  EXPECT_EQ(Status(stream_), CU_STREAM_CAPTURE_STATUS_ACTIVE);
  EXPECT_EQ(cuStreamBeginCapture_v2(nullptr, CU_STREAM_CAPTURE_MODE_RELAXED),
            CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(End(), CUDA_SUCCESS);
}

TEST_F(CaptureTest, TellsWhereItIs) {
  CUstreamCaptureStatus status;
  cuuint64_t id = 0;
  CUgraph graph = nullptr;
  const CUgraphNode* after = nullptr;
  size_t count = 7;
  ASSERT_EQ(cuMemsetD8Async(memory_, 1, 4, stream_), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamGetCaptureInfo_v2(stream_, &status, &id, &graph, &after, &count), CUDA_SUCCESS);
  EXPECT_EQ(status, CU_STREAM_CAPTURE_STATUS_ACTIVE);
  EXPECT_NE(id, 0u);
  ASSERT_EQ(count, 1u);
  // A node that the program adds is what comes next if it says so.
  CUgraphNode own;
  ASSERT_EQ(cuGraphAddEmptyNode(&own, graph, after, count), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamUpdateCaptureDependencies(stream_, &own, 1, CU_STREAM_SET_CAPTURE_DEPENDENCIES),
            CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD8Async(memory_, 2, 4, stream_), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(End(), CUDA_SUCCESS);
  EXPECT_EQ(captured_, graph);
  count = 0;
  EXPECT_EQ(cuGraphGetEdges(captured_, nullptr, nullptr, &count), CUDA_SUCCESS);
  EXPECT_EQ(count, 2u);
}

TEST_F(CaptureTest, GoesIntoAGraphOfTheProgramsIfAsked) {
  ASSERT_EQ(End(), CUDA_SUCCESS);
  CUgraphNode node = AddSet(6, {});
  ASSERT_EQ(cuStreamBeginCaptureToGraph(stream_, graph_, &node, nullptr, 1,
                                        CU_STREAM_CAPTURE_MODE_RELAXED),
            CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD8Async(memory_, 8, 1, stream_), CUDA_SUCCESS);
  ASSERT_EQ(End(), CUDA_SUCCESS);
  EXPECT_EQ(captured_, graph_);
  EXPECT_EQ(LaunchCaptured(), (Bytes{8, 6, 6, 6}));
}

TEST_F(CaptureTest, EndsWithItsStreamItsGraphOrItsContext) {
  EXPECT_EQ(cuStreamDestroy_v2(stream_), CUDA_SUCCESS);
  stream_ = Stream();
  CUgraph graph;
  ASSERT_EQ(cuGraphCreate(&graph, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamBeginCaptureToGraph(stream_, graph, nullptr, nullptr, 0,
                                        CU_STREAM_CAPTURE_MODE_RELAXED),
            CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
  EXPECT_EQ(Status(stream_), CU_STREAM_CAPTURE_STATUS_INVALIDATED);
  EXPECT_EQ(End(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  ASSERT_EQ(cuStreamBeginCapture_v2(stream_, CU_STREAM_CAPTURE_MODE_RELAXED), CUDA_SUCCESS);
  CUevent event = Event();
  ASSERT_EQ(cuEventRecord(event, stream_), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxDestroy_v2(context_), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxCreate_v2(&context_, 0, 0), CUDA_SUCCESS);
  EXPECT_EQ(End(), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(CaptureTest, AThreadsOwnStreamCanBeCapturedToo) {
  CUstream own = reinterpret_cast<CUstream>(kStreamPerThread);
  for (int round = 0; round < 1000; ++round) {
    ASSERT_EQ(cuStreamBeginCapture_v2(own, CU_STREAM_CAPTURE_MODE_RELAXED), CUDA_SUCCESS);
    EXPECT_EQ(cuMemsetD8Async(memory_, 5, 4, own), CUDA_SUCCESS);
    CUgraph graph;
    ASSERT_EQ(cuStreamEndCapture(own, &graph), CUDA_SUCCESS);
    EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
  }
  EXPECT_EQ(Read(memory_, 4), Bytes(4, 0));
  EXPECT_EQ(End(), CUDA_SUCCESS);
}

TEST_F(CaptureTest, ProgramsOfPerThreadStreamsMeanTheThreadsOwnByStream0) {
  ASSERT_EQ(cuStreamBeginCapture_v2_ptsz(nullptr, CU_STREAM_CAPTURE_MODE_RELAXED), CUDA_SUCCESS);
  EXPECT_EQ(Status(nullptr), CU_STREAM_CAPTURE_STATUS_NONE);
  EXPECT_EQ(Status(reinterpret_cast<CUstream>(kStreamPerThread)), CU_STREAM_CAPTURE_STATUS_ACTIVE);
  int calls = 0;
  EXPECT_EQ(cuLaunchHostFunc_ptsz(
                nullptr, [](void* n) { ++*static_cast<int*>(n); }, &calls),
            CUDA_SUCCESS);
  CUgraph graph;
  ASSERT_EQ(cuStreamEndCapture_ptsz(nullptr, &graph), CUDA_SUCCESS);
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(End(), CUDA_SUCCESS);
}

TEST_F(CaptureTest, ALaunchedGraphBecomesAChild) {
  AddSet(6, {});
  CUgraphExec exec = Ready();
  EXPECT_EQ(cuGraphLaunch(exec, stream_), CUDA_SUCCESS);
  EXPECT_EQ(Read(memory_, 4), Bytes(4, 0));
  ASSERT_EQ(End(), CUDA_SUCCESS);
  EXPECT_EQ(LaunchCaptured(), Bytes(4, 6));
}

}  // namespace
}  // namespace vgpu::cuda
