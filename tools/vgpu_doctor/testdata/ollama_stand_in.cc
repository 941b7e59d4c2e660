// What the tests of `fix` and `watch` run in the place of Ollama v0.16.2: it starts the
// discovery child that Ollama starts, prints the lines that Ollama prints, and finds a GPU
// where its backend is installed and a driver's library is preloaded that initialises. It serves
// nothing.
//
// A child of a server that is named CRASH_RUNNER in its environment ends by SIGSEGV.

#include <dlfcn.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace {

void Log(const char* source, const std::string& text) {
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  tm utc = {};
  gmtime_r(&now.tv_sec, &utc);
  char stamp[32];
  strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
  fprintf(stderr, "time=%s.%03ldZ level=INFO source=%s %s\n", stamp, now.tv_nsec / 1000000, source,
          text.c_str());
}

bool DriverInitialises() {
  using Init = int (*)(unsigned);
  const auto init = reinterpret_cast<Init>(dlsym(RTLD_DEFAULT, "cuInit"));
  return init != nullptr && init(0) == 0;
}

// Where a program in /usr/local/bin looks for it.
bool BackendIsThere() {
  return access("/usr/local/lib/ollama/cuda_v12/libggml-cuda.so", R_OK) == 0;
}

// Discovery's child, of about as short a life as Ollama's.
int Runner() {
  if (getenv("CRASH_RUNNER") != nullptr) raise(SIGSEGV);
  DriverInitialises();
  usleep(150 * 1000);
  return 0;
}

void RunDiscoveryChild(const char* self) {
  Log("server.go:431", std::string("msg=\"starting runner\" cmd=\"") + self +
                           " runner --ollama-engine --port 40371\"");
  std::vector<std::string> environment;
  for (char** variable = environ; *variable != nullptr; ++variable)
    environment.push_back(*variable);
  environment.push_back("OLLAMA_LIBRARY_PATH=/usr/local/lib/ollama:/usr/local/lib/ollama/cuda_v12");
  std::vector<char*> pointers;
  for (std::string& variable : environment) pointers.push_back(variable.data());
  pointers.push_back(nullptr);
  std::string words[] = {self, "runner", "--ollama-engine", "--port", "40371"};
  char* arguments[] = {words[0].data(), words[1].data(), words[2].data(),
                       words[3].data(), words[4].data(), nullptr};
  pid_t child = 0;
  if (posix_spawn(&child, self, nullptr, nullptr, arguments, pointers.data()) == 0) {
    waitpid(child, nullptr, 0);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "runner") == 0) return Runner();
  setvbuf(stderr, nullptr, _IOLBF, 0);
  Log("routes.go:1663", "msg=\"server config\" env=\"map[OLLAMA_DEBUG:INFO]\"");
  Log("routes.go:1718", "msg=\"Listening on 127.0.0.1:11434 (version 0.16.2)\"");
  Log("runner.go:67", "msg=\"discovering available GPUs...\"");
  RunDiscoveryChild(argv[0]);
  if (BackendIsThere() && DriverInitialises()) {
    Log("types.go:42",
        "msg=\"inference compute\" id=GPU-d110a105-ac29-1d54-7b49-9c90440f215b filter_id=\"\" "
        "library=CUDA compute=9.0 name=CUDA0 description=\"NVIDIA H100 80GB HBM3\" "
        "libdirs=ollama,cuda_v12 driver=12.8 pci_id=0000:00:05.0 type=discrete total=\"80.0 GiB\" "
        "available=\"78.0 GiB\"");
  } else {
    Log("types.go:60",
        "msg=\"inference compute\" id=cpu library=cpu compute=\"\" name=cpu description=cpu "
        "libdirs=ollama driver=\"\" pci_id=\"\" type=\"\" total=\"62.7 GiB\" available=\"60.1 "
        "GiB\"");
  }
  signal(SIGTERM, SIG_DFL);
  while (true) pause();
}
