// What it costs a program that its paths are looked at: without a shim, with ours, and with
// umockdev's preload (Debian's libumockdev-preload0), in one run, one after the other.
//
//   bazel run -c opt //shims/syscall:redirect_benchmark -- TREE [ROUNDS]          (default: 15)
//
// TREE is one that "vgpu-run write-tree" has written. Prints for each operation its time without a
// shim, and the ratios of the others to it; the first of these is a second measurement without a
// shim, and says how far from 1 a ratio gets by itself. A time is the lower quartile: of the
// shortest batches of each round for an operation, of the runs for a program. A program that does
// not end with 0 has no time.

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double Nanoseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::nano>(duration).count();
}

void Open(const char* path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) close(fd);
}

void Stat(const char* path) {
  struct stat status;
  if (stat(path, &status) != 0) abort();
}

void Read(const char* path) {
  char text[64];
  FILE* stream = fopen(path, "re");
  if (stream == nullptr) abort();
  if (fgets(text, sizeof text, stream) == nullptr) abort();
  fclose(stream);
}

constexpr struct {
  const char* name;
  void (*run)(const char* path);
} kOperations[] = {{"open", Open}, {"stat", Stat}, {"read", Read}};

// The child's part: "NAME PATH" for each operation and path, with its nanoseconds.
int Measure(int count, char** paths) {
  constexpr int kBatch = 100, kBatches = 60;
  for (int i = 0; i < count; ++i) {
    for (const auto& operation : kOperations) {
      if (access(paths[i], R_OK) != 0) continue;
      double best = 1e18;
      for (int batch = 0; batch < kBatches; ++batch) {
        const Clock::time_point begin = Clock::now();
        for (int run = 0; run < kBatch; ++run) operation.run(paths[i]);
        best = std::min(best, Nanoseconds(Clock::now() - begin) / kBatch);
      }
      printf("%s\t%s\t%.1f\n", operation.name, paths[i], best);
    }
  }
  return 0;
}

// Runs a program; its time, or below zero where it did not end well. Its output is in `output`.
double Run(const std::vector<std::string>& command, const std::vector<std::string>& variables,
           std::string* output) {
  auto pointers = [](const std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
    result.push_back(nullptr);
    return result;
  };
  int ends[2];
  if (pipe(ends) != 0) return -1;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (output != nullptr) {
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  } else {
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  }
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  posix_spawn_file_actions_addclose(&actions, ends[1]);
  const Clock::time_point begin = Clock::now();
  pid_t child = 0;
  const int error = posix_spawn(&child, command[0].c_str(), &actions, nullptr,
                                pointers(command).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  char buffer[4096];
  for (ssize_t size; error == 0 && (size = read(ends[0], buffer, sizeof buffer)) > 0;) {
    if (output != nullptr) output->append(buffer, static_cast<size_t>(size));
  }
  close(ends[0]);
  int status = 0;
  if (error != 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status) == 0 ? Nanoseconds(Clock::now() - begin) : -1;
}

// A PCI function that the manifest says is ours, with the slash before it.
std::string Device(const std::string& tree) {
  std::ifstream manifest(tree + "/manifest");
  for (std::string line; std::getline(manifest, line);) {
    if (line.starts_with("own sys/devices/")) return "/" + line.substr(4);
  }
  return "";
}

double LowerQuartile(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 4];
}

}  // namespace

int main(int count, char** words) {
  if (count > 2 && strcmp(words[1], "--measure") == 0) return Measure(count - 2, words + 2);
  if (count < 2 || count > 3) {
    fputs("usage: redirect_benchmark TREE [ROUNDS]\n", stderr);
    return 64;
  }
  const std::string tree = words[1];
  const int rounds = count > 2 ? atoi(words[2]) : 15;
  const std::string device = Device(tree);
  char own[4096] = "";
  const ssize_t size = readlink("/proc/self/exe", own, sizeof own - 1);
  if (device.empty() || size <= 0 || rounds < 1) {
    fprintf(stderr, "redirect_benchmark: %s/manifest names no PCI function\n", tree.c_str());
    return 66;
  }
  const std::string shim =
      std::string(own).substr(0, std::string(own).rfind('/')) + "/libvgpu-syscall.so";

  const std::string vendor = device + "/vendor";
  const std::string bus = "/sys/bus/pci/devices" + device.substr(device.rfind('/')) + "/vendor";
  const std::vector<std::string> others = {"/etc/passwd",
                                           "/usr/share/common-licenses/GPL-3",
                                           "/usr/lib/os-release",
                                           "/proc/self/stat",
                                           "/sys/kernel/mm/transparent_hugepage/enabled",
                                           "/sys/devices/system/cpu/online"};
  const struct {
    const char* name;
    std::vector<std::string> variables;
  } kWays[] = {
      {"without", {}},
      {"again", {}},
      {"ours", {"LD_PRELOAD=" + shim, "VGPU_TREE=" + tree}},
      {"umockdev", {"LD_PRELOAD=libumockdev-preload.so.0"}},
  };

  std::map<std::string, std::map<std::string, std::vector<double>>> times;
  auto measure = [&](const char* way, const std::vector<std::string>& variables,
                     const std::vector<std::string>& paths, const std::string& prefix) {
    std::vector<std::string> command = {own, "--measure"};
    for (const std::string& path : paths) command.push_back(prefix + path);
    std::string output;
    if (Run(command, variables, &output) < 0) return;
    std::istringstream lines(output);
    std::string operation, path;
    for (double time; lines >> operation >> path >> time;) {
      times[operation + " " + path.substr(prefix.size())][way].push_back(time);
    }
  };
  for (int round = 0; round < rounds; ++round) {
    for (const auto& way : kWays) {
      measure(way.name, way.variables, others, "");
      // Without a shim the tree's files are at their own place.
      const bool plain = way.variables.empty();
      std::vector<std::string> variables = way.variables;
      if (strcmp(way.name, "umockdev") == 0) variables.push_back("UMOCKDEV_DIR=" + tree);
      measure(way.name, variables, {vendor, bus}, plain ? tree : "");
    }
    for (int run = 0; run < 10; ++run) {
      for (const auto& way : kWays) {
        // The umockdev that is told no directory leaves /sys as it is.
        double time = Run({"/bin/true"}, way.variables, nullptr);
        if (time > 0) times["start of true"][way.name].push_back(time);
        time = Run({"/usr/bin/find", "/sys"}, way.variables, nullptr);
        if (time > 0) times["find /sys"][way.name].push_back(time);
      }
    }
  }

  printf("%-52s %12s %8s %8s %8s\n", "", "without, ns", "again", "ours", "umockdev");
  for (const auto& [name, ways] : times) {
    auto time = [&](const char* way) {
      const auto found = ways.find(way);
      return found == ways.end() ? -1.0 : LowerQuartile(found->second);
    };
    const double plain = time("without");
    printf("%-52s %12.0f", name.c_str(), plain);
    for (const char* way : {"again", "ours", "umockdev"}) {
      if (plain > 0 && time(way) > 0) {
        printf(" %8.3f", time(way) / plain);
      } else {
        printf(" %8s", "-");
      }
    }
    printf("\n");
  }
  return 0;
}
