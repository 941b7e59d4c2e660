#include "tools/vgpu_run/notify.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "shims/syscall/resolve.h"
#include "shims/syscall/tree_view.h"
#include "shims/tree/tree.h"

namespace vgpu::run {
namespace {

namespace fs = std::filesystem;
using redirect::Process;
using redirect::Purpose;
using redirect::Resolved;
using redirect::TreeView;

constexpr int kNotFound = 127;
constexpr int kCannotExecute = 126;

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
constexpr uint32_t kX32Bit = 0x40000000;  // __X32_SYSCALL_BIT, asm/unistd.h
#else
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
constexpr uint32_t kX32Bit = 0;
#endif

enum class Kind { kOpen, kOpen2, kStat, kStatx, kAccess, kReadLink };

// The system calls that take a path, and where their arguments are; -1: it has none.
struct Call {
  long number = 0;
  Kind kind = Kind::kOpen;
  int directory = -1;
  int path = 0;
  int out = -1;    // where the answer is written
  int size = -1;   // of that, for a link's target
  int flags = -1;  // of open or of the *at calls
  int mode = -1;   // of access
  bool no_follow = false;
};

constexpr Call kCalls[] = {
#if defined(__x86_64__)
    {.number = SYS_open, .kind = Kind::kOpen, .path = 0, .flags = 1},
    {.number = SYS_stat, .kind = Kind::kStat, .path = 0, .out = 1},
    {.number = SYS_lstat, .kind = Kind::kStat, .path = 0, .out = 1, .no_follow = true},
    {.number = SYS_access, .kind = Kind::kAccess, .path = 0, .mode = 1},
    {.number = SYS_readlink, .kind = Kind::kReadLink, .path = 0, .out = 1, .size = 2},
#endif
    {.number = SYS_openat, .kind = Kind::kOpen, .directory = 0, .path = 1, .flags = 2},
    {.number = SYS_openat2, .kind = Kind::kOpen2, .directory = 0, .path = 1, .flags = 2},
    {.number = SYS_newfstatat,
     .kind = Kind::kStat,
     .directory = 0,
     .path = 1,
     .out = 2,
     .flags = 3},
    {.number = SYS_statx, .kind = Kind::kStatx, .directory = 0, .path = 1, .out = 4, .flags = 2},
    {.number = SYS_faccessat, .kind = Kind::kAccess, .directory = 0, .path = 1, .mode = 2},
    {.number = SYS_faccessat2,
     .kind = Kind::kAccess,
     .directory = 0,
     .path = 1,
     .flags = 3,
     .mode = 2},
    {.number = SYS_readlinkat,
     .kind = Kind::kReadLink,
     .directory = 0,
     .path = 1,
     .out = 2,
     .size = 3},
};

const Call* FindCall(long number) {
  const auto* found = std::find_if(std::begin(kCalls), std::end(kCalls),
                                   [number](const Call& call) { return call.number == number; });
  return found == std::end(kCalls) ? nullptr : found;
}

// Another architecture's calls have other numbers: they are let through.
std::vector<sock_filter> Filter() {
  std::vector<sock_filter> filter = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
  };
  if (kX32Bit != 0) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kX32Bit, 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  for (const Call& call : kCalls) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call.number), 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  return filter;
}

// Installs the filter in this process: the listener, or below zero an error's number with its sign
// turned.
int InstallFilter() {
  std::vector<sock_filter> filter = Filter();
  sock_fprog program = {static_cast<uint16_t>(filter.size()), filter.data()};
  // Without it a signal that interrupts the wait (Go sends itself many) makes the call begin
  // anew; Linux 5.19 has it.
  unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
#ifdef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
  long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                          flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program);
  if (listener >= 0 || errno != EINVAL) return static_cast<int>(listener < 0 ? -errno : listener);
#endif
  long plain = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  return static_cast<int>(plain < 0 ? -errno : plain);
}

// One descriptor, or an error's number with its sign turned where `descriptor` is below zero.
bool SendDescriptor(int socket, int descriptor) {
  iovec data = {&descriptor, sizeof descriptor};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL) == sizeof descriptor;
}

int ReceiveDescriptor(int socket) {
  int said = -EPIPE;
  iovec data = {&said, sizeof said};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t received;
  do {
    received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received != sizeof said) return -EPIPE;
  if (said < 0) return said;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return -EPIPE;
  int descriptor = -1;
  memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  return descriptor;
}

// What the child does: it does not return.
[[noreturn]] void BecomeCommand(int socket, const std::vector<char*>& arguments,
                                const std::vector<char*>& environment, const sigset_t& mask) {
  int listener = InstallFilter();
  if (listener == -EACCES) {
    // Without CAP_SYS_ADMIN a filter wants this first, seccomp(2).
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    listener = InstallFilter();
  }
  // From here on opens wait for the parent.
  bool sent = SendDescriptor(socket, listener);
  if (listener < 0 || !sent) _exit(kCannotExecute);
  close(listener);
  close(socket);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  execvpe(arguments[0], arguments.data(), environment.data());
  int error = errno;
  fprintf(stderr, "vgpu-run: %s: %s\n", arguments[0], strerror(error));
  fflush(stderr);
  _exit(error == ENOENT ? kNotFound : kCannotExecute);
}

class Supervisor {
 public:
  Supervisor(int listener, const TreeView& view) : listener_(listener), view_(view) {}

  // Answers one call. False: no process has the filter any more.
  bool Answer() {
    seccomp_notif request = {};
    if (ioctl(listener_, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) {
      // ENOENT: the process was killed meanwhile.
      return errno == EINTR || errno == ENOENT;
    }
    const Call* call = FindCall(request.data.nr);
    if (call == nullptr || !AnswerOurs(request, *call)) Continue(request.id);
    return true;
  }

 private:
  static uint64_t Argument(const seccomp_notif& request, int index) {
    return index < 0 ? 0 : request.data.args[index];
  }

  void Continue(uint64_t id) {
    seccomp_notif_resp response = {};
    response.id = id;
    response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    ioctl(listener_, SECCOMP_IOCTL_NOTIF_SEND, &response);
  }

  // `result` is what the call returns: below zero, an error's number with its sign turned.
  void Send(uint64_t id, int64_t result) {
    seccomp_notif_resp response = {};
    response.id = id;
    if (result < 0) {
      response.error = static_cast<int32_t>(result);
    } else {
      response.val = result;
    }
    ioctl(listener_, SECCOMP_IOCTL_NOTIF_SEND, &response);
  }

  // The memory was that of the process which called: it has not ended, and its number does not
  // belong to another.
  bool StillWaits(uint64_t id) { return ioctl(listener_, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0; }

  // Text that ends with a NUL, page by page: what is behind the last may not be mapped.
  bool ReadText(pid_t process, uint64_t address, std::array<char, redirect::kMaxPath>& text) {
    constexpr uint64_t kPage = 4096;
    size_t size = 0;
    while (size < text.size()) {
      size_t step = std::min<size_t>(kPage - (address + size) % kPage, text.size() - size);
      iovec local = {text.data() + size, step};
      iovec remote = {reinterpret_cast<void*>(address + size), step};
      ssize_t read = process_vm_readv(process, &local, 1, &remote, 1, 0);
      if (read <= 0) return false;
      if (memchr(text.data() + size, '\0', static_cast<size_t>(read)) != nullptr) return true;
      size += static_cast<size_t>(read);
    }
    return false;
  }

  bool ReadMemory(pid_t process, uint64_t address, void* to, size_t size) {
    iovec local = {to, size};
    iovec remote = {reinterpret_cast<void*>(address), size};
    return process_vm_readv(process, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
  }

  bool WriteMemory(pid_t process, uint64_t address, const void* from, size_t size) {
    iovec local = {const_cast<void*>(from), size};
    iovec remote = {reinterpret_cast<void*>(address), size};
    return process_vm_writev(process, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
  }

  // False: the call is none of ours.
  bool AnswerOurs(const seccomp_notif& request, const Call& call) {
    pid_t process = static_cast<pid_t>(request.pid);
    std::array<char, redirect::kMaxPath> path;
    if (!ReadText(process, Argument(request, call.path), path) || path[0] == '\0') return false;
    uint64_t flags = Argument(request, call.flags);
    if (call.kind == Kind::kOpen2) {
      open_how how = {};
      if (!ReadMemory(process, flags, &how, sizeof how)) return false;
      flags = how.flags;
    }
    if (!StillWaits(request.id)) return true;

    int directory =
        call.directory < 0 ? AT_FDCWD : static_cast<int>(Argument(request, call.directory));
    std::array<char, redirect::kMaxPath> resolved;
    Resolved where = redirect::ResolveFor(view_, Process{process}, directory, path.data(),
                                          PurposeOf(call, flags), resolved);
    if (where == Resolved::kNot) return false;
    std::string file = resolved.data();
    if (where == Resolved::kOutside) file = absl::StrCat("/proc/", process, "/root", file);
    bool in_tree = where == Resolved::kInTree;
    switch (call.kind) {
      case Kind::kOpen:
      case Kind::kOpen2:
        Open(request.id, file, static_cast<int>(flags), in_tree);
        return true;
      case Kind::kAccess: {
        int mode = static_cast<int>(Argument(request, call.mode));
        int result = in_tree && (mode & W_OK) != 0                              ? -EACCES
                     : faccessat(AT_FDCWD, file.c_str(), mode, AT_EACCESS) == 0 ? 0
                                                                                : -errno;
        Send(request.id, result);
        return true;
      }
      case Kind::kStat: {
        // The kernel's own layout, whatever libc makes of it.
        struct stat status = {};
        int result = static_cast<int>(
            syscall(SYS_newfstatat, AT_FDCWD, file.c_str(), &status, FollowFlag(call, flags)));
        Give(request, call, result == 0 ? 0 : -errno, &status, sizeof status);
        return true;
      }
      case Kind::kStatx: {
        struct statx status = {};
        int result = statx(AT_FDCWD, file.c_str(), FollowFlag(call, flags),
                           static_cast<unsigned>(request.data.args[3]), &status);
        Give(request, call, result == 0 ? 0 : -errno, &status, sizeof status);
        return true;
      }
      case Kind::kReadLink: {
        std::array<char, redirect::kMaxPath> target;
        ssize_t size = readlink(file.c_str(), target.data(), target.size());
        if (size < 0) {
          Send(request.id, -errno);
          return true;
        }
        size_t shown = redirect::HideTree(view_, target.data(), static_cast<size_t>(size));
        shown = std::min<size_t>(shown, Argument(request, call.size));
        Give(request, call, static_cast<int64_t>(shown), target.data(), shown);
        return true;
      }
    }
    return false;
  }

  static Purpose PurposeOf(const Call& call, uint64_t flags) {
    switch (call.kind) {
      case Kind::kOpen:
      case Kind::kOpen2:
        return (flags & O_NOFOLLOW) != 0 ? Purpose::kOpenNoFollow : Purpose::kOpen;
      case Kind::kReadLink:
        return Purpose::kNoFollow;
      case Kind::kStat:
      case Kind::kStatx:
      case Kind::kAccess:
        return FollowFlag(call, flags) != 0 ? Purpose::kNoFollow : Purpose::kFollow;
    }
    return Purpose::kFollow;
  }

  static int FollowFlag(const Call& call, uint64_t flags) {
    if (call.no_follow) return AT_SYMLINK_NOFOLLOW;
    return static_cast<int>(flags) & AT_SYMLINK_NOFOLLOW;
  }

  // The answer of a call that fills memory of the process.
  void Give(const seccomp_notif& request, const Call& call, int64_t result, const void* from,
            size_t size) {
    if (result >= 0 &&
        !WriteMemory(static_cast<pid_t>(request.pid), Argument(request, call.out), from, size)) {
      result = -EFAULT;
    }
    Send(request.id, result);
  }

  void Open(uint64_t id, const std::string& file, int flags, bool in_tree) {
    bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0;
    if (in_tree && writes) {
      Send(id, -EACCES);
      return;
    }
    // Never to wait here: what is not in the tree may be a FIFO. A descriptor that names a place
    // only cannot be given to another process (seccomp_unotify(2)): it gets one that can be read.
    bool place_only = (flags & O_PATH) != 0;
    int descriptor = open(file.c_str(), (flags & ~(O_CREAT | O_TRUNC | O_EXCL | O_PATH)) |
                                            O_CLOEXEC | O_NOCTTY | (in_tree ? 0 : O_NONBLOCK));
    if (descriptor < 0 && errno == ELOOP && place_only) {
      // A link itself. The host may have the same one.
      Continue(id);
      return;
    }
    if (descriptor < 0) {
      Send(id, -errno);
      return;
    }
    seccomp_notif_addfd add = {};
    add.id = id;
    add.flags = SECCOMP_ADDFD_FLAG_SEND;  // the answer with it: it is not left without one
    add.srcfd = static_cast<uint32_t>(descriptor);
    add.newfd_flags = static_cast<uint32_t>(flags & O_CLOEXEC);
    int given = ioctl(listener_, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
    int error = errno;
    close(descriptor);
    if (given < 0 && error != ENOENT) Send(id, -error);
  }

  int listener_;
  const TreeView& view_;
};

absl::StatusOr<std::unique_ptr<TreeView>> ViewOf(const tree::Tree& tree, const std::string& root) {
  auto view = std::make_unique<TreeView>();
  std::string manifest = tree::Manifest(tree);
  if (root.size() >= view->root.size() || manifest.size() > view->text.size()) {
    return absl::InternalError(absl::StrCat(root, ": the tree's manifest is too large"));
  }
  root.copy(view->root.data(), root.size());
  view->root_size = root.size();
  manifest.copy(view->text.data(), manifest.size());
  if (!redirect::ParseManifest(manifest.size(), view.get())) {
    return absl::InternalError(absl::StrCat(root, "/manifest: cannot be read back"));
  }
  return view;
}

absl::Status NoListener(int error) {
  switch (error) {
    case EBUSY:
      return absl::FailedPreconditionError(
          "seccomp: somebody answers for this process already (a container's runtime, or another "
          "vgpu-run --notify): run vgpu-run outside of it, or preload libvgpu-syscall.so");
    case EINVAL:
    case ENOSYS:
      return absl::FailedPreconditionError(
          "seccomp: this kernel has no user notifications (Linux 5.14): run vgpu-run without "
          "--notify, or preload libvgpu-syscall.so");
    default:
      return absl::Status(absl::StatusCode::kUnavailable,
                          absl::StrCat("seccomp: ", strerror(error)));
  }
}

}  // namespace

absl::StatusOr<int> RunSupervised(const device::Configuration& configuration,
                                  std::vector<std::string> command,
                                  std::vector<std::string> environment) {
  absl::StatusOr<tree::HostPci> host = tree::ReadHostPci("/");
  if (!host.ok()) return host.status();
  tree::Tree tree = tree::MakeTree(configuration, *host);
  std::error_code error;
  std::string directory = absl::StrCat(fs::temp_directory_path(error).string(), "/vgpu-run.XXXXXX");
  if (mkdtemp(directory.data()) == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat(directory, ": cannot be created"));
  }
  absl::Cleanup remove = [&directory] {
    std::error_code ignored;  // a directory in /tmp is left; nobody reads it
    fs::remove_all(directory, ignored);
  };
  std::string root = absl::StrCat(directory, "/root");
  if (absl::Status written = tree::WriteTree(tree, root); !written.ok()) return written;
  absl::StatusOr<std::unique_ptr<TreeView>> view = ViewOf(tree, root);
  if (!view.ok()) return view.status();

  auto pointers = [](std::vector<std::string>& texts) {
    std::vector<char*> list;
    list.reserve(texts.size() + 1);
    for (std::string& text : texts) list.push_back(text.data());
    list.push_back(nullptr);
    return list;
  };
  std::vector<char*> arguments = pointers(command);
  std::vector<char*> variables = pointers(environment);

  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
    return absl::ErrnoToStatus(errno, "socketpair");
  }
  // Signals are read as data, so that none is lost and none interrupts an answer.
  sigset_t watched, mask;
  sigemptyset(&watched);
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD}) {
    sigaddset(&watched, number);
  }
  sigprocmask(SIG_BLOCK, &watched, &mask);
  // Children whose parent has ended become ours: so it is known when the last has ended.
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  pid_t child = fork();
  if (child < 0) return absl::ErrnoToStatus(errno, "fork");
  if (child == 0) {
    close(sockets[0]);
    BecomeCommand(sockets[1], arguments, variables, mask);
  }
  close(sockets[1]);
  int listener = ReceiveDescriptor(sockets[0]);
  close(sockets[0]);
  if (listener < 0) {
    waitpid(child, nullptr, 0);
    return NoListener(-listener);
  }

  Supervisor supervisor(listener, **view);
  bool running = true;  // the command itself: then its number is its own
  int signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
  int status = 0;
  for (;;) {
    pollfd polled[] = {{listener, POLLIN, 0}, {signals, POLLIN, 0}};
    if (poll(polled, 2, -1) < 0 && errno != EINTR) break;
    if ((polled[1].revents & POLLIN) != 0) {
      signalfd_siginfo info = {};
      while (read(signals, &info, sizeof info) == sizeof info) {
        int number = static_cast<int>(info.ssi_signo);
        if (number == SIGCHLD) {
          int ended = 0;
          for (pid_t one; (one = waitpid(-1, &ended, WNOHANG)) > 0;) {
            if (one != child) continue;
            status = ended;
            running = false;
          }
        } else if (running && info.ssi_code <= 0) {
          // Somebody sent it to us (SI_USER, SI_QUEUE). What a terminal sends, the kernel gives to
          // the command too.
          kill(child, number);
        }
      }
    }
    if ((polled[0].revents & POLLIN) != 0 && !supervisor.Answer()) break;
    if ((polled[0].revents & POLLHUP) != 0) break;  // nobody has the filter any more
  }
  close(listener);
  close(signals);
  // The listener's end can be seen before the last child is a zombie.
  int ended = 0;
  for (pid_t one; (one = waitpid(-1, &ended, 0)) > 0 || (one < 0 && errno == EINTR);) {
    if (one == child) status = ended;
  }
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  return status;
}

}  // namespace vgpu::run
