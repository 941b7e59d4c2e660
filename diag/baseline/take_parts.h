// The parts of Take, each of which writes down one layer. Private to this directory.

#ifndef DIAG_BASELINE_TAKE_PARTS_H_
#define DIAG_BASELINE_TAKE_PARTS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/baseline/seal.h"
#include "diag/baseline/snapshot.h"
#include "diag/baseline/take.h"
#include "diag/facts/facts.h"
#include "diag/host/host.h"

namespace vgpu::baseline {

using Strings = std::vector<std::string>;

// Where a value was read.
struct From {
  std::string source = {};
  int line = 0;
};

// Puts values into a snapshot: sealed, bounded, and as text that can be shown and written as JSON.
class Builder {
 public:
  Builder(const Sealer& sealer, Snapshot& out) : sealer_(sealer), out_(out) {}

  void Put(absl::string_view key, const host::Observed<std::string>& text, From from);
  void PutList(absl::string_view key, const host::Observed<Strings>& items, From from);
  void PutNumber(absl::string_view key, const host::Observed<double>& number, From from);
  // A variable of the environment, as a text or a list, as its kind says.
  void PutVariable(absl::string_view prefix, absl::string_view name,
                   const host::Observed<std::string>& value, From from);
  // A text of which only that it is the same may be kept.
  void PutSealed(absl::string_view key, const host::Observed<std::string>& text, From from);

  // All keys of the kind with this pattern were put, or why that is not known.
  void Looked(absl::string_view pattern, host::Observed<bool> looked = true);

  const Sealer& sealer() const { return sealer_; }

 private:
  void Add(absl::string_view key, host::Observed<Value> value, From from);

  const Sealer& sealer_;
  Snapshot& out_;
};

// Everything that a part may look at.
struct Subject {
  const host::Host& host;
  const facts::Facts& facts;
  const Snapshot* like = nullptr;
  FileHashes& hashes;

  // Prefix of the paths that the process sees; empty: it sees the host's.
  std::string Root() const { return facts.process.present() ? facts.process->root : ""; }
};

void TakeHost(const Subject& subject, Builder& out);
void TakeUnit(const Subject& subject, Builder& out);
void TakeProcess(const Subject& subject, Builder& out);
void TakeLibraries(const Subject& subject, Builder& out);
void TakeOllama(const Subject& subject, Builder& out);
void TakeDevices(const Subject& subject, Builder& out);
void TakeDiscovery(const Subject& subject, Builder& out);

// What stands for the stars in the keys of `like` that are of the kind with this pattern.
Strings Stars(const Snapshot* like, absl::string_view pattern);

// "file", "-> libcuda.so.1.1", "-> gone.so (not there)": what a path is. Absent: nothing.
host::Observed<std::string> WhatIs(const host::Host& host, absl::string_view path,
                                   absl::string_view root, host::Observed<host::Resolved>* found);

// "0:0", "0755".
host::Observed<std::string> OwnerText(const host::FileMeta& meta);
host::Observed<std::string> ModeOf(const host::FileMeta& meta);

// The same answer for another type, where there is no value.
template <typename To, typename From>
host::Observed<To> NoValue(const host::Observed<From>& from) {
  if (from.absent()) return host::Absent{};
  return host::NotObserved{std::string(from.why_not())};
}

}  // namespace vgpu::baseline

#endif  // DIAG_BASELINE_TAKE_PARTS_H_
