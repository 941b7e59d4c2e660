#include "tools/vgpu_doctor/baseline.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "diag/baseline/explain.h"
#include "diag/baseline/file.h"
#include "diag/baseline/kinds.h"
#include "diag/baseline/seal.h"
#include "diag/baseline/take.h"
#include "diag/diagnosis/diagnosis.h"
#include "diag/host/file_io.h"
#include "diag/report/json.h"
#include "diag/report/visible.h"
#include "tools/command_line/progress.h"
#include "tools/vgpu_doctor/exit_codes.h"
#include "tools/vgpu_doctor/write_all.h"

namespace vgpu::doctor {
namespace {

constexpr char kSuffix[] = ".baseline.json";

int Print(const std::string& text) {
  if (fwrite(text.data(), 1, text.size(), stdout) != text.size() || fflush(stdout) != 0) {
    perror("vgpu-doctor: standard output");
    return kFault;
  }
  return 0;
}

// False: standard error says why. The file is there whole or not at all, and is its owner's: it
// says where things are.
bool WriteFile(const std::string& path, const std::string& text) {
  const std::string part = absl::StrCat(path, ".XXXXXX");
  std::string temporary = part;
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) {
    fprintf(stderr, "vgpu-doctor: %s: %s\n", report::Visible(path).c_str(), strerror(errno));
    return false;
  }
  bool ok = WriteAll(fd, text) && fsync(fd) == 0;
  int error = errno;
  if (close(fd) != 0 && ok) ok = false, error = errno;
  if (ok && rename(temporary.c_str(), path.c_str()) != 0) ok = false, error = errno;
  if (!ok) {
    unlink(temporary.c_str());
    fprintf(stderr, "vgpu-doctor: %s: %s\n", report::Visible(path).c_str(), strerror(error));
  }
  return ok;
}

// Errors say which file, and why.
absl::StatusOr<baseline::Snapshot> Read(const std::string& name) {
  const auto because = [&](const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat(name, ": ", status.message()));
  };
  absl::StatusOr<std::unique_ptr<host::ByteSource>> input = host::OpenInput(name);
  if (!input.ok()) return input.status();
  std::string text;
  std::string buffer(size_t{64} << 10, '\0');
  while (text.size() <= baseline::kMaxFile) {
    const absl::StatusOr<size_t> got = (*input)->Read(buffer.data(), buffer.size());
    if (!got.ok()) return because(got.status());
    if (*got == 0) break;
    text.append(buffer, 0, *got);
  }
  absl::StatusOr<baseline::Snapshot> snapshot = baseline::ReadBaseline(text);
  if (!snapshot.ok()) return because(snapshot.status());
  if (snapshot->name.empty()) snapshot->name = name;
  return snapshot;
}

// 32 hexadecimal digits that nobody can foresee.
std::optional<std::string> Salt() {
  char bytes[16];
  if (getrandom(bytes, sizeof(bytes), 0) != static_cast<ssize_t>(sizeof(bytes))) {
    perror("vgpu-doctor: getrandom");
    return std::nullopt;
  }
  return absl::BytesToHexString(absl::string_view(bytes, sizeof(bytes)));
}

// A name that is a file's too.
std::string IsName(const std::string& name) {
  const bool fine = !name.empty() && name.size() <= 100 && name.front() != '.' &&
                    name.find('/') == std::string::npos && report::Visible(name) == name;
  return fine ? "" : "is no name: a word of at most 100 letters, without a slash";
}

int Save(const BaselineOptions& options) {
  command_line::Progress progress;
  HostOptions host_options = options.host;
  host_options.progress = &progress;
  const std::unique_ptr<host::Host> host = OpenHost(host_options);
  if (host == nullptr) return kUsage;
  const std::optional<facts::Facts> facts = GatherFacts(*host, host_options);
  if (!facts) return kUsage;
  const std::optional<std::string> salt = Salt();
  if (!salt) return kFault;
  const report::Report report = diagnosis::Diagnose(*facts);
  const baseline::Carried carried = baseline::ReadCarried(*host);
  const baseline::Sealer sealer = baseline::SealerFor(*host, carried, *salt);
  baseline::FileHashes hashes(*host);
  std::string name = options.name;
  if (name.empty()) {
    name = facts->observed_at.present()
               ? absl::FormatTime("%Y-%m-%d-%H%M%S", *facts->observed_at, facts->time_zone)
               : "baseline";
  }
  const baseline::Snapshot snapshot = baseline::Take(
      *host, *facts, report.verdict, {.name = name, .sealer = sealer, .carried = &carried}, hashes);
  const std::string text = baseline::WriteBaseline(snapshot);
  if (options.output == "-") {
    if (const int failed = Print(text); failed != 0) return failed;
  } else {
    const std::string path = options.output.empty() ? absl::StrCat(name, kSuffix) : options.output;
    // How it was when it worked is not to be had a second time.
    if (const auto there = Read(path); !snapshot.verified && there.ok() && there->verified) {
      fprintf(stderr,
              "vgpu-doctor: %s: is a baseline of a state that worked, and this one is not known to "
              "(%s): it stays; give another name with -o\n",
              report::Visible(path).c_str(), report::Visible(snapshot.because).c_str());
      return kUsage;
    }
    if (!WriteFile(path, text)) return kUsage;
    fprintf(stderr, "vgpu-doctor: %s: %zu values of %s\n", report::Visible(path).c_str(),
            snapshot.entries.size(), report::Visible(snapshot.unit).c_str());
  }
  if (!snapshot.verified) {
    fprintf(stderr,
            "vgpu-doctor: NOT VERIFIED: this is not known to be a working state: %s.\n"
            "vgpu-doctor: `vgpu-doctor check` says more; save it again when the GPU is found.\n",
            report::Visible(snapshot.because).c_str());
  }
  return 0;
}

int Show(const BaselineOptions& options) {
  const std::optional<baseline::Snapshot> read = LoadBaseline(options.file);
  if (!read) return kUsage;
  const baseline::Snapshot& snapshot = *read;
  const auto line = [](absl::string_view what, absl::string_view text) {
    return absl::StrCat(what, report::VisibleQuote(text, 1024), "\n");
  };
  std::string text = line("Baseline  ", snapshot.name);
  absl::StrAppend(&text, snapshot.verified ? line("Verified  ", snapshot.because)
                                           : line("NOT VERIFIED  ", snapshot.because));
  absl::StrAppend(
      &text,
      line("Taken     ", snapshot.captured_at.present()
                             ? report::Rfc3339(*snapshot.captured_at, snapshot.time_zone)
                             : "at an unknown time"),
      line("Host      ", snapshot.hostname.value_or("unknown")), line("Unit      ", snapshot.unit),
      line("Ollama    ",
           absl::StrCat(snapshot.ollama_version.value_or("unknown"), " (era ", snapshot.era, ")")),
      line("Device    ", snapshot.profile.value_or("unknown")), "\n");
  for (const auto& [key, entry] : snapshot.entries) {
    std::string value = entry.value.present() ? baseline::ValueText(*entry.value)
                        : entry.value.absent()
                            ? "(not there)"
                            : absl::StrCat("(not observed: ", entry.value.why_not(), ")");
    absl::StrAppend(&text, report::VisibleQuote(key, 1024), " = ",
                    report::VisibleQuote(value, 4096), "\n");
  }
  return Print(text);
}

}  // namespace

CLI::App* AddBaseline(CLI::App& app, BaselineOptions& options) {
  CLI::App* command = app.add_subcommand(
      "baseline", "Write down what a working state is made of, to compare with later.");
  command->require_subcommand(1);
  options.save = command->add_subcommand("save", "Write a baseline of the present state.");
  AddHostOptions(*options.save, options.host);
  options.save
      ->add_option("-o,--output", options.output,
                   "The file (default: NAME.baseline.json); - is standard output")
      ->type_name("FILE")
      ->option_text("FILE");
  options.save->add_option("--name", options.name, "What to call it (default: the time)")
      ->check(CLI::Validator([](const std::string& name) { return IsName(name); }, "NAME"))
      ->option_text("NAME");
  options.show = command->add_subcommand("show", "Show what a baseline holds.");
  options.show->add_option("BASELINE", options.file, "The file; - is standard input")
      ->required()
      ->type_name("FILE")
      ->option_text("FILE");
  command->footer(
      "A baseline is verified where discovery had found the GPU when it was taken; else it says\n"
      "that it is not. It holds no process ids, times, ports, memory addresses or inodes.\n"
      "Values of variables that are not known to be harmless are sealed: that they changed can be\n"
      "seen, and what they are cannot.\n\n"
      "Examples:\n"
      "  sudo vgpu-doctor baseline save --name works\n"
      "  vgpu-doctor baseline show works.baseline.json\n"
      "  sudo vgpu-doctor diff-against-baseline works.baseline.json");
  return command;
}

int RunBaseline(const BaselineOptions& options) {
  return options.save->parsed() ? Save(options) : Show(options);
}

std::optional<baseline::Snapshot> LoadBaseline(const std::string& name) {
  absl::StatusOr<baseline::Snapshot> snapshot = Read(name);
  if (!snapshot.ok()) {
    fprintf(stderr, "vgpu-doctor: %s\n", report::Visible(snapshot.status().message()).c_str());
    return std::nullopt;
  }
  return *std::move(snapshot);
}

}  // namespace vgpu::doctor
