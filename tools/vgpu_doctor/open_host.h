// The host, the log and the facts that a judging command's options name.

#ifndef TOOLS_VGPU_DOCTOR_OPEN_HOST_H_
#define TOOLS_VGPU_DOCTOR_OPEN_HOST_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "diag/facts/facts.h"
#include "diag/facts/gather.h"
#include "diag/host/host.h"
#include "tools/command_line/progress.h"

namespace vgpu::doctor {

struct HostOptions {
  // A captured host or a mounted system: a directory, an archive, or "-"; empty: this machine.
  std::string root;
  std::string unit;  // empty: the capture's, or ollama.service
  int pid = 0;       // 0: the unit's
  std::string since;
  // What `vgpu-doctor verify` saw of it, where a file was given.
  std::optional<facts::GivenProbe> probe;
  // Told what is looked at; hidden before standard error says something. Null: nobody is told.
  command_line::Progress* progress = nullptr;
};

// Adds --root, --unit, --pid and --since to `command`; `options` must outlive the parsing.
void AddHostOptions(CLI::App& command, HostOptions& options);

// The same, but that --root may name several hosts, which go to `roots` and not to `options`.
void AddHostsOptions(CLI::App& command, HostOptions& options, std::vector<std::string>& roots);

// The host in `root`; empty: this machine. The error says why it cannot be judged.
absl::StatusOr<std::unique_ptr<host::Host>> TryOpenHost(const std::string& root);

// Null: the options' root (empty: this machine) cannot be judged, and standard error says why.
std::unique_ptr<host::Host> OpenHost(const HostOptions& options);

// The facts that the options ask for; nothing where they cannot be had, and standard error
// says why. The second form has its host already, and does not look at `options.root`.
std::optional<facts::Facts> GatherFacts(const HostOptions& options);
std::optional<facts::Facts> GatherFacts(const host::Host& host, const HostOptions& options);

// The same for a story, which reaches further back than a check: unless --since says otherwise,
// 30 days of a live journal, and all that a capture has of it.
std::optional<facts::Facts> GatherStory(const host::Host& host, const HostOptions& options);

// Likewise of the log alone in the file `name`; "-" is standard input. Of the options, since and
// progress.
std::optional<facts::Facts> GatherFactsOfLog(const std::string& name, const HostOptions& options);

// What --since names, which was understood before, on the clock of `host` (null: of a log alone).
absl::Time SinceOf(const host::Host* host, const HostOptions& options);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_OPEN_HOST_H_
