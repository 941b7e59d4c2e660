// Memory that goes from process to process as a descriptor, through a socket, as programs do it.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/test_devices.h"

namespace vgpu::cuda {
namespace {

constexpr size_t kSize = size_t{2} << 20;
constexpr unsigned kSent = 0x600df00d;
constexpr unsigned kAnswer = 0xcafe;

bool SendDescriptor(int socket, int fd) {
  char byte = 'x';
  iovec payload = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &payload;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return sendmsg(socket, &message, MSG_NOSIGNAL) == 1;
}

int ReceiveDescriptor(int socket) {
  char byte = 0;
  iovec payload = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &payload;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (recvmsg(socket, &message, 0) != 1 || CMSG_FIRSTHDR(&message) == nullptr) return -1;
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

CUdeviceptr Map(CUmemGenericAllocationHandle handle) {
  CUdeviceptr address = 0;
  const CUmemAccessDesc access = {{CU_MEM_LOCATION_TYPE_DEVICE, 0},
                                  CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  const bool mapped = cuMemAddressReserve(&address, kSize, 0, 0, 0) == CUDA_SUCCESS &&
                      cuMemMap(address, kSize, 0, handle, 0) == CUDA_SUCCESS &&
                      cuMemSetAccess(address, kSize, &access, 1) == CUDA_SUCCESS;
  return mapped ? address : 0;
}

// What went wrong, or 0.
int ImportAndAnswer(int socket) {
  const int fd = ReceiveDescriptor(socket);
  CUcontext context = nullptr;
  if (fd < 0 || cuInit(0) != CUDA_SUCCESS || cuCtxCreate_v2(&context, 0, 0) != CUDA_SUCCESS) {
    return 1;
  }
  CUmemGenericAllocationHandle handle = 0;
  if (cuMemImportFromShareableHandle(&handle, reinterpret_cast<void*>(static_cast<intptr_t>(fd)),
                                     CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR) != CUDA_SUCCESS) {
    return 2;
  }
  close(fd);
  const CUdeviceptr address = Map(handle);
  if (address == 0) return 3;
  unsigned received = 0;
  if (cuMemcpyDtoH_v2(&received, address + kSize - 4, 4) != CUDA_SUCCESS || received != kSent) {
    return 4;
  }
  return cuMemcpyHtoD_v2(address, &kAnswer, 4) == CUDA_SUCCESS ? 0 : 5;
}

TEST(Share, ADescriptorCarriesMemoryToAnotherProcess) {
  ConfigureTestDevices();
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  // Before cuInit: each process has a driver of its own.
  const pid_t child = fork();
  if (child == 0) _exit(ImportAndAnswer(ends[1]));

  ASSERT_EQ(cuInit(0), CUDA_SUCCESS);
  CUcontext context = nullptr;
  ASSERT_EQ(cuCtxCreate_v2(&context, 0, 0), CUDA_SUCCESS);
  CUmemAllocationProp properties = {};
  properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  CUmemGenericAllocationHandle handle = 0;
  int fd = -1;
  ASSERT_EQ(cuMemCreate(&handle, kSize, &properties, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemExportToShareableHandle(&fd, handle, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0),
            CUDA_ERROR_INVALID_VALUE);  // it was not asked for
  ASSERT_EQ(cuMemRelease(handle), CUDA_SUCCESS);
  properties.requestedHandleTypes = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
  ASSERT_EQ(cuMemCreate(&handle, kSize, &properties, 0), CUDA_SUCCESS);
  const CUdeviceptr address = Map(handle);
  ASSERT_NE(address, 0u);
  ASSERT_EQ(cuMemsetD32_v2(address, kSent, kSize / 4), CUDA_SUCCESS);
  ASSERT_EQ(cuMemExportToShareableHandle(&fd, handle, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0),
            CUDA_SUCCESS);
  ASSERT_TRUE(SendDescriptor(ends[0], fd));
  ASSERT_EQ(close(fd), 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 0);
  unsigned answer = 0;
  EXPECT_EQ(cuMemcpyDtoH_v2(&answer, address, 4), CUDA_SUCCESS);
  EXPECT_EQ(answer, kAnswer);
  EXPECT_EQ(cuMemUnmap(address, kSize), CUDA_SUCCESS);
  EXPECT_EQ(cuMemRelease(handle), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAddressFree(address, kSize), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxDestroy_v2(context), CUDA_SUCCESS);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace vgpu::cuda
