// What it costs a program to load libraries that it does not need: whole runs of a program,
// alternating with and without LD_PRELOAD.
//
//   start_up PRELOAD [PROGRAM [RUNS]]         (default: /bin/true, 400)
//
// Prints the median of both in microseconds, and their ratio, as "without NN us, with NN us,
// ratio N.NN". Exit status 1: a run did not end with 0.

#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

// Negative: it could not be run, or did not end well.
double RunMicroseconds(const char* program, char* const* environment) {
  char* arguments[] = {const_cast<char*>(program), nullptr};
  const Clock::time_point begin = Clock::now();
  pid_t child;
  if (posix_spawn(&child, program, nullptr, nullptr, arguments, environment) != 0) return -1;
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) return -1;
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

double Median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

int main(int count, char** words) {
  if (count < 2 || count > 4) {
    std::fputs("usage: start_up PRELOAD [PROGRAM [RUNS]]\n", stderr);
    return 64;
  }
  const char* program = count > 2 ? words[2] : "/bin/true";
  const int runs = count > 3 ? std::atoi(words[3]) : 400;
  std::string preload = std::string("LD_PRELOAD=") + words[1];
  char* with_environment[] = {preload.data(), nullptr};
  char* without_environment[] = {nullptr};
  std::vector<double> with, without;
  for (int run = 0; run < runs; ++run) {
    without.push_back(RunMicroseconds(program, without_environment));
    with.push_back(RunMicroseconds(program, with_environment));
    if (without.back() < 0 || with.back() < 0) {
      std::fprintf(stderr, "start_up: %s did not end well\n", program);
      return 1;
    }
  }
  if (with.empty()) return 64;
  const double cost = Median(with), base = Median(without);
  std::printf("without %.0f us, with %.0f us, ratio %.2f\n", base, cost, cost / base);
  return 0;
}
