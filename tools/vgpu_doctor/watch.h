// vgpu-doctor watch: looks on while a unit starts, and catches what is gone afterwards: the
// child in which discovery loads the GPU's libraries, its environment and how it ended.
//
// It changes nothing and restarts nothing. It ends when discovery has, or after a time.

#ifndef TOOLS_VGPU_DOCTOR_WATCH_H_
#define TOOLS_VGPU_DOCTOR_WATCH_H_

#include <string>

#include "CLI/CLI.hpp"

namespace vgpu::doctor {

struct WatchOptions {
  std::string unit = "ollama.service";
  int timeout = 120;  // seconds
  std::string format = "text";
};

// Adds the command to `app`; `options` must outlive the parsing.
CLI::App* AddWatch(CLI::App& app, WatchOptions& options);

// 0: discovery found a GPU; 1: it ended and found none; 2: nothing can be watched here;
// 3: its end was not seen.
int RunWatch(const WatchOptions& options);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_WATCH_H_
