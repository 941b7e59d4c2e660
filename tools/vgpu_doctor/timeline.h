// vgpu-doctor timeline: what happened, and when it stopped working.

#ifndef TOOLS_VGPU_DOCTOR_TIMELINE_H_
#define TOOLS_VGPU_DOCTOR_TIMELINE_H_

#include <string>

#include "CLI/CLI.hpp"
#include "tools/vgpu_doctor/open_host.h"

namespace vgpu::doctor {

struct TimelineOptions {
  HostOptions host;
  std::string format = "text";
  bool no_color = false;
};

// Adds the command to `app`; `options` must outlive the parsing.
CLI::App* AddTimeline(CLI::App& app, TimelineOptions& options);

// Prints the time line on standard output. 0: it was told.
int RunTimeline(const TimelineOptions& options);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_TIMELINE_H_
