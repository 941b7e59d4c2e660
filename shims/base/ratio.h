// Benchmarks that say how many times as much processor time something takes as a peer of it in the
// same run: machines differ, and their noise does; a ratio of neighbours tells more than a time.
//
//   void BM_Peer(benchmark::State& state) { Time(state, "peer", [] { ... }); }
//   void BM_Ours(benchmark::State& state) { Time(state, "ours", [] { ... }, "peer"); }
//
// Not thread-safe. Peers are registered before what is compared with them.

#ifndef SHIMS_BASE_RATIO_H_
#define SHIMS_BASE_RATIO_H_

#include <time.h>

#include <map>
#include <string>

#include "benchmark/benchmark.h"

namespace vgpu {

inline double ThreadSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Seconds for one call, by name.
inline std::map<std::string, double>& Times() {
  static auto& times = *new std::map<std::string, double>;
  return times;
}

template <typename Call>
void Time(benchmark::State& state, const std::string& name, Call call,
          const std::string& peer = "") {
  const double start = ThreadSeconds();
  for (auto _ : state) call();
  const double taken = ThreadSeconds() - start;
  // The last run, the one that is reported, is the longest.
  Times()[name] = taken / static_cast<double>(state.iterations());
  const auto of_peer = Times().find(peer);
  if (of_peer != Times().end() && of_peer->second > 0) {
    state.counters["x " + peer] = Times()[name] / of_peer->second;
  }
}

}  // namespace vgpu

#endif  // SHIMS_BASE_RATIO_H_
