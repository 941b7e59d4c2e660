// Every libc way to start a program, so that the shims stay in the environment of children, also
// where the caller built that environment itself.
//
// What cannot be reached: a program that makes the system calls itself (Go's os/exec, a static
// program). There the unit's preload file does it (vgpu-run unit), or a child inherits the variable
// because nobody took it away.
//
// Left as they are: an environment that has the shims already, or VGPU_PROPAGATE=0; a program that
// gets privileges by being run (set-user-ID, set-group-ID, file capabilities: the loader would
// ignore the variable, and a privileged program hands it on); one whose environment is too big for
// the stack.
//
// A wrapper runs between vfork(2) and exec in the parent's memory: it allocates nothing, takes no
// lock, leaves no mark in global memory but the addresses of libc's functions, which are the
// same for both.

#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <wordexp.h>

#include <string_view>

#include "shims/base/next_symbol.h"
#include "shims/base/sys.h"
#include "shims/exec/environment.h"

#define VGPU_EXPORT extern "C" __attribute__((visibility("default")))

namespace vgpu::exec {
namespace {

using Execve = int(const char*, char* const*, char* const*);
using Spawn = int(pid_t*, const char*, const posix_spawn_file_actions_t*, const posix_spawnattr_t*,
                  char* const*, char* const*);

constinit NextFunction<Execve> next_execve{"execve"};
constinit NextFunction<Execve> next_execvpe{"execvpe"};
constinit NextFunction<int(int, char* const*, char* const*)> next_fexecve{"fexecve"};
constinit NextFunction<int(int, const char*, char* const*, char* const*, int)> next_execveat{
    "execveat"};
constinit NextFunction<Spawn> next_posix_spawn{"posix_spawn"};
constinit NextFunction<Spawn> next_posix_spawnp{"posix_spawnp"};
constinit NextFunction<int(const char*)> next_system{"system"};
constinit NextFunction<FILE*(const char*, const char*)> next_popen{"popen"};
constinit NextFunction<int(const char*, wordexp_t*, int)> next_wordexp{"wordexp"};

// A vfork child's stack is its parent's: what is taken here is given back by the exec. Threads
// have stacks of 8 MiB, and of 16 KiB at the least (PTHREAD_STACK_MIN); who starts programs from
// those has no environment of this size.
constexpr size_t kMaxStack = size_t{256} << 10;

// The kernel's attribute for file capabilities (capabilities(7)).
constexpr char kCapabilities[] = "security.capability";

bool IsPrivileged(const struct stat& status) { return (status.st_mode & (S_ISUID | S_ISGID)) != 0; }

// Asked only where something would be added: two system calls.
bool IsPrivilegedFile(int directory, const char* path, int flags) {
  struct stat status = {};
  if (sys::StatAt(directory, path, &status, flags) < 0) return false;
  if (IsPrivileged(status)) return true;
  return directory == AT_FDCWD && getxattr(path, kCapabilities, nullptr, 0) >= 0;
}

// As execvpe(3) and posix_spawnp(3) look for a name without a slash: in the directories of PATH
// of the caller, and confstr(3)'s where it is not set.
bool IsPrivilegedCommand(const char* file) {
  if (strchr(file, '/') != nullptr) return IsPrivilegedFile(AT_FDCWD, file, 0);
  std::string_view path = "/bin:/usr/bin";
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    if (strncmp(*variable, "PATH=", 5) == 0) {
      path = *variable + 5;
      break;
    }
  }
  size_t length = strlen(file);
  if (length > NAME_MAX) return false;
  char candidate[PATH_MAX];
  for (;;) {
    size_t end = path.find(':');
    std::string_view directory = path.substr(0, end);
    if (directory.size() + length + 2 <= sizeof candidate) {
      memcpy(candidate, directory.data(), directory.size());
      size_t size = directory.size();
      if (size != 0) candidate[size++] = '/';
      memcpy(candidate + size, file, length + 1);
      struct stat status = {};
      if (sys::StatAt(AT_FDCWD, candidate, &status, 0) == 0 && S_ISREG(status.st_mode) &&
          (status.st_mode & 0111) != 0) {
        return IsPrivilegedFile(AT_FDCWD, candidate, 0);
      }
    }
    if (end == std::string_view::npos) return false;
    path.remove_prefix(end + 1);
  }
}

// Calls start(environment): with the shims in it where they are missing and `privileged` says that
// the program is an ordinary one. `privileged` is asked only then. errno is that of `start`.
template <typename Privileged, typename Start>
int WithShims(char* const* environment, Privileged privileged, Start start) {
  int saved_errno = errno;
  ShimList shims;
  ShimList missing;
  if (!LeftAlone(environment)) LoadedShims(&shims);
  if (!shims.empty()) Missing(environment, shims, &missing);
  Need need;
  if (!missing.empty()) need = NeedOf(environment, missing);
  bool as_it_is =
      missing.empty() || need.pointers * sizeof(char*) + need.bytes > kMaxStack || privileged();
  errno = saved_errno;
  if (as_it_is) return start(environment);
  auto** pointers = static_cast<char**>(alloca(need.pointers * sizeof(char*)));
  auto* text = static_cast<char*>(alloca(need.bytes));
  AddShims(environment, missing, pointers, text);
  return start(pointers);
}

template <typename Function, typename... Arguments>
int CallNext(Function& next, Arguments... arguments) {
  auto* function = next.Get();
  if (function != nullptr) return function(arguments...);
  errno = ENOSYS;
  return -1;
}

int ExecuteFile(const char* path, char* const* arguments, char* const* environment) {
  return WithShims(
      environment, [path] { return IsPrivilegedFile(AT_FDCWD, path, 0); },
      [&](char* const* given) { return CallNext(next_execve, path, arguments, given); });
}

int ExecuteCommand(const char* file, char* const* arguments, char* const* environment) {
  return WithShims(
      environment, [file] { return IsPrivilegedCommand(file); },
      [&](char* const* given) { return CallNext(next_execvpe, file, arguments, given); });
}

// system(3) and its kin hand on `environ`, from inside libc. Where the program has taken the
// shims out of it, they are in it during the call: the array is another one, with the same strings.
// What another thread sets meanwhile by setenv(3) is kept: then the array is no longer ours, and
// stays.
template <typename Call>
auto WithShimsInEnviron(Call call) {
  using Result = decltype(call());
  Result result = {};
  char** before = environ;
  WithShims(
      before, [] { return false; },
      [&](char* const* given) {
        char** ours = const_cast<char**>(given);
        environ = ours;
        result = call();
        if (environ == ours) environ = before;
        return 0;
      });
  return result;
}

// The arguments of execl(3) and its kin. The first may be the null that ends them, though the
// headers say that it is not: so these are no part of a function that is declared so.
__attribute__((noipa)) size_t CountArguments(const char* first, va_list list) {
  if (first == nullptr) return 0;
  size_t count = 1;
  while (va_arg(list, char*) != nullptr) ++count;
  return count;
}

__attribute__((noipa)) void CopyArguments(const char* first, va_list list, char** arguments) {
  *arguments = const_cast<char*>(first);
  if (first == nullptr) return;
  do {
    *++arguments = va_arg(list, char*);
  } while (*arguments != nullptr);
}

}  // namespace
}  // namespace vgpu::exec

// Collects the variable arguments of a function whose last named one is `first` into `arguments`,
// on the stack of the function itself. `list` stands behind them then.
#define VGPU_COLLECT(first, list, arguments)                                   \
  va_list list;                                                                \
  va_start(list, first);                                                       \
  size_t count = vgpu::exec::CountArguments(first, list);                      \
  va_end(list);                                                                \
  auto** arguments = static_cast<char**>(alloca((count + 1) * sizeof(char*))); \
  va_start(list, first);                                                       \
  vgpu::exec::CopyArguments(first, list, arguments)

VGPU_EXPORT int execve(const char* path, char* const argv[], char* const envp[]) noexcept {
  return vgpu::exec::ExecuteFile(path, argv, envp);
}

VGPU_EXPORT int execv(const char* path, char* const argv[]) noexcept {
  return vgpu::exec::ExecuteFile(path, argv, environ);
}

VGPU_EXPORT int execvpe(const char* file, char* const argv[], char* const envp[]) noexcept {
  return vgpu::exec::ExecuteCommand(file, argv, envp);
}

VGPU_EXPORT int execvp(const char* file, char* const argv[]) noexcept {
  return vgpu::exec::ExecuteCommand(file, argv, environ);
}

VGPU_EXPORT int execl(const char* path, const char* arg, ...) noexcept {
  VGPU_COLLECT(arg, list, arguments);
  va_end(list);
  return vgpu::exec::ExecuteFile(path, arguments, environ);
}

VGPU_EXPORT int execlp(const char* file, const char* arg, ...) noexcept {
  VGPU_COLLECT(arg, list, arguments);
  va_end(list);
  return vgpu::exec::ExecuteCommand(file, arguments, environ);
}

VGPU_EXPORT int execle(const char* path, const char* arg, ...) noexcept {
  VGPU_COLLECT(arg, list, arguments);
  char* const* environment = va_arg(list, char* const*);
  va_end(list);
  return vgpu::exec::ExecuteFile(path, arguments, environment);
}

VGPU_EXPORT int fexecve(int fd, char* const argv[], char* const envp[]) noexcept {
  using namespace vgpu::exec;
  return WithShims(
      envp,
      [fd] {
        struct stat status = {};
        return vgpu::sys::Stat(fd, &status) == 0 &&
               (IsPrivileged(status) || fgetxattr(fd, kCapabilities, nullptr, 0) >= 0);
      },
      [&](char* const* given) { return CallNext(next_fexecve, fd, argv, given); });
}

VGPU_EXPORT int execveat(int fd, const char* path, char* const argv[], char* const envp[],
                         int flags) noexcept {
  using namespace vgpu::exec;
  return WithShims(
      envp,
      [=] {
        return path == nullptr ||
               IsPrivilegedFile(fd, path, flags & (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
      },
      [&](char* const* given) { return CallNext(next_execveat, fd, path, argv, given, flags); });
}

VGPU_EXPORT int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                            const posix_spawnattr_t* attributes, char* const argv[],
                            char* const envp[]) {
  using namespace vgpu::exec;
  return WithShims(
      envp, [path] { return IsPrivilegedFile(AT_FDCWD, path, 0); },
      [&](char* const* given) {
        auto* next = next_posix_spawn.Get();
        return next == nullptr ? ENOSYS : next(pid, path, actions, attributes, argv, given);
      });
}

VGPU_EXPORT int posix_spawnp(pid_t* pid, const char* file,
                             const posix_spawn_file_actions_t* actions,
                             const posix_spawnattr_t* attributes, char* const argv[],
                             char* const envp[]) {
  using namespace vgpu::exec;
  return WithShims(
      envp, [file] { return IsPrivilegedCommand(file); },
      [&](char* const* given) {
        auto* next = next_posix_spawnp.Get();
        return next == nullptr ? ENOSYS : next(pid, file, actions, attributes, argv, given);
      });
}

VGPU_EXPORT int system(const char* command) {
  using namespace vgpu::exec;
  return WithShimsInEnviron([=] { return CallNext(next_system, command); });
}

VGPU_EXPORT FILE* popen(const char* command, const char* type) {
  using namespace vgpu::exec;
  return WithShimsInEnviron([=]() -> FILE* {
    auto* next = next_popen.Get();
    if (next != nullptr) return next(command, type);
    errno = ENOSYS;
    return nullptr;
  });
}

VGPU_EXPORT int wordexp(const char* words, wordexp_t* expanded, int flags) {
  using namespace vgpu::exec;
  return WithShimsInEnviron([=] {
    auto* next = next_wordexp.Get();
    return next == nullptr ? WRDE_NOSPACE : next(words, expanded, flags);
  });
}
