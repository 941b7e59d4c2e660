// Starts /usr/bin/env, or what the second argument names, in the manner that the first names, with
// an environment of its own making: A=1, and B=2 where there is a third argument.

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wordexp.h>

#include <string>

namespace {

int Waited(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) != child) return 1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 64;
  std::string manner = argv[1];
  std::string program = argc > 2 ? argv[2] : "/usr/bin/env";
  char a[] = "A=1", b[] = "B=2", path[] = "PATH=/usr/bin:/bin";
  char* environment[] = {a, path, argc > 3 ? b : nullptr, nullptr};
  char* arguments[] = {program.data(), nullptr};
  std::string name = program.substr(program.rfind('/') + 1);

  if (manner == "execve") execve(program.c_str(), arguments, environment);
  if (manner == "execvpe") execvpe(name.c_str(), arguments, environment);
  if (manner == "execle") {
    execle(program.c_str(), program.c_str(), static_cast<char*>(nullptr), environment);
  }
  if (manner == "fexecve") fexecve(open(program.c_str(), O_RDONLY), arguments, environment);
  if (manner == "execveat") execveat(AT_FDCWD, program.c_str(), arguments, environment, 0);
  // These take the environment that the program has: so it is emptied.
  if (manner == "execv" || manner == "execvp" || manner == "execl" || manner == "execlp" ||
      manner == "system" || manner == "popen" || manner == "wordexp" || manner == "inherit") {
    clearenv();
    setenv("A", "1", 1);
    setenv("PATH", "/usr/bin:/bin", 1);
  }
  if (manner == "execv") execv(program.c_str(), arguments);
  if (manner == "execvp") execvp(name.c_str(), arguments);
  if (manner == "execl") execl(program.c_str(), program.c_str(), static_cast<char*>(nullptr));
  if (manner == "execlp") execlp(name.c_str(), name.c_str(), static_cast<char*>(nullptr));
  if (manner == "system") {
    int status = system(program.c_str());
    // And what the program itself has is what it was.
    if (getenv("LD_PRELOAD") != nullptr) return 70;
    return WEXITSTATUS(status);
  }
  if (manner == "popen") {
    FILE* output = popen(program.c_str(), "r");
    if (output == nullptr) return 71;
    for (int c; (c = fgetc(output)) != EOF;) putchar(c);
    return WEXITSTATUS(pclose(output));
  }
  if (manner == "wordexp") {
    wordexp_t words = {};
    if (wordexp(("$(" + program + ")").c_str(), &words, 0) != 0) return 72;
    for (size_t i = 0; i < words.we_wordc; ++i) puts(words.we_wordv[i]);
    wordfree(&words);
    return 0;
  }
  if (manner == "posix_spawn" || manner == "posix_spawnp") {
    pid_t child = 0;
    int error = manner == "posix_spawn"
                    ? posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environment)
                    : posix_spawnp(&child, name.c_str(), nullptr, nullptr, arguments, environment);
    if (error != 0) return 73;
    return Waited(child);
  }
  if (manner == "vfork") {
    pid_t child = vfork();
    if (child == 0) {
      execve(program.c_str(), arguments, environment);
      _exit(127);
    }
    return Waited(child);
  }
  if (manner == "syscall") {
    syscall(SYS_execve, program.c_str(), arguments, environment);
  }
  perror(manner.c_str());
  return 74;
}
