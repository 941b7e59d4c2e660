// Writes down what a host's present state is made of.
//
//   FileHashes hashes(host);
//   const Snapshot now = Take(host, facts, report.verdict, {.sealer = sealer, .like = &baseline},
//                             hashes);
//
// From Facts, and from the host what Facts do not hold: the content and the metadata of the files
// that they name. Never fails: what could not be looked at is not observed in the result.

#ifndef DIAG_BASELINE_TAKE_H_
#define DIAG_BASELINE_TAKE_H_

#include <map>
#include <string>

#include "diag/baseline/carried.h"
#include "diag/baseline/seal.h"
#include "diag/baseline/snapshot.h"
#include "diag/facts/facts.h"
#include "diag/host/host.h"
#include "diag/report/report.h"

namespace vgpu::baseline {

// SHA-256 of files, each read once. Bounded: what is larger than kMaxHashed is not read.
class FileHashes {
 public:
  static constexpr uint64_t kMaxHashed = uint64_t{64} << 20;

  explicit FileHashes(const host::Host& host) : host_(host) {}

  // In hexadecimal; the one that a capture recorded, else of the content. `found` is where a path
  // leads below `root`.
  host::Observed<std::string> Of(const host::Resolved& found, absl::string_view root);

 private:
  const host::Host& host_;
  std::map<std::string, host::Observed<std::string>> known_;  // by resolved path
};

struct TakeOptions {
  std::string name = {};
  const Sealer& sealer;
  // Look at what this one names, too: that it is not there now is then known.
  const Snapshot* like = nullptr;
  // Of a capture from which secrets were taken out.
  const Carried* carried = nullptr;
};

Snapshot Take(const host::Host& host, const facts::Facts& facts, report::Verdict verdict,
              const TakeOptions& options, FileHashes& hashes);

// Seals what is on `host`, as a baseline with this salt, and seals of this form, does.
Sealer SealerFor(const host::Host& host, const Carried& carried, absl::string_view salt,
                 int form = kSealForm);

}  // namespace vgpu::baseline

#endif  // DIAG_BASELINE_TAKE_H_
