// Takes secrets out of what a capture holds, before it is written.
//
//   Redactor redactor(RandomKey());
//   redactor.File("/proc/57290/environ", bytes)   // "HF_TOKEN=<redacted:9f3a…>\0PATH=/usr/bin\0"
//
// Values of an environment stay where a diagnosis reads them (LD_*, OLLAMA_*, CUDA_*, PATH and
// their like) and nothing in their name says that they are secret. Every other value becomes a
// keyed hash of its name and itself: whether it is the same in the unit and in the process can
// be seen, what it is cannot. The key is random for each capture and kept nowhere, so that
// nobody can try values, and hashes of two captures say nothing of each other.
//
// That holds for environ, for Environment= and its like in unit files, for the files that
// EnvironmentFile= names, and for what systemctl shows of them. Command lines and scripts set
// variables too: there a value also stays if it is a path of the system or is made of other
// variables, since a wrapper cannot be judged without. Then every text goes through
// report::RedactSecrets: users of URLs, tokens and keys by their form, values of names that
// sound secret.
//
// Lines keep their numbers, and what was malformed stays so.

#ifndef DIAG_CAPTURE_REDACTOR_H_
#define DIAG_CAPTURE_REDACTOR_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/capture/sip_hash.h"

namespace vgpu::capture {

// Of getrandom(2).
SipKey RandomKey();

class Redactor {
 public:
  explicit Redactor(const SipKey& key) : key_(key) {}

  // Files that EnvironmentFile= names, or patterns of them (glob(7)).
  void AddEnvironmentFile(std::string pattern) { environment_files_.push_back(std::move(pattern)); }

  // Of other processes only the program is kept, and of their arguments nothing, unless they
  // are a part of Ollama or run containers.
  void KeepCommandLineOf(int pid) { command_lines_.push_back(pid); }

  // Words of a preload file that name no file: the loader's model looks for them, so that they
  // stand in paths too.
  void LearnPreloadFile(absl::string_view text);
  // A path, a part of one or a link's target, as files of the capture name it.
  std::string Path(absl::string_view path) const;

  // A file's content, by its path on the host.
  std::string File(absl::string_view path, absl::string_view content) const;
  // A tool's output, by its file in a capture.
  std::string Output(absl::string_view file, absl::string_view content) const;

  // What File and Output choose from.
  std::string Environ(absl::string_view content) const;
  std::string UnitFile(absl::string_view text) const;
  std::string EnvironmentFile(absl::string_view text) const;
  std::string CommandLine(absl::string_view words) const;  // and scripts
  std::string PreloadFile(absl::string_view text) const;
  std::string Accounts(absl::string_view text) const;  // passwd(5), group(5)
  std::string Show(absl::string_view text) const;
  std::string ShowEnvironment(absl::string_view text) const;
  std::string Journal(absl::string_view lines) const;

 private:
  std::string Hash(absl::string_view name, absl::string_view value) const;
  // The value, or its hash.
  std::string Value(absl::string_view name, absl::string_view value) const;
  std::string Words(absl::string_view text, bool shown) const;
  std::string Assignments(absl::string_view text) const;
  std::string MachineId(absl::string_view text) const;
  std::string CommandLineOf(absl::string_view path, absl::string_view words) const;
  bool IsEnvironmentFile(absl::string_view path) const;

  SipKey key_;
  std::vector<std::string> environment_files_;
  std::vector<int> command_lines_;
  std::vector<std::pair<std::string, std::string>> hidden_;  // words, and what stands for them
};

// Whether the value of a variable may be captured as it is, by the variable's name.
bool IsKept(absl::string_view variable);

}  // namespace vgpu::capture

#endif  // DIAG_CAPTURE_REDACTOR_H_
