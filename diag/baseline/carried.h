// What a capture carries so that its host can be compared with a baseline, although secrets were
// taken out of it before it was written.
//
// Who captures takes a snapshot of the host, and one of what is about to be written. Where they
// differ, redaction has hidden something: the capture then carries what the host had, sealed
// (seal.h), if nothing of it is in the clear that redaction has hidden; else only that it is not
// observed. Who reads the capture puts this into the snapshot that it takes.
//
//   std::string text = CarriedText(Carry(of_host, of_capture, pid));     // into the manifest
//   const Carried carried = ReadCarried(tree_host);
//   Take(tree_host, facts, verdict, {.sealer = SealerFor(…), .carried = &carried}, hashes);

#ifndef DIAG_BASELINE_CARRIED_H_
#define DIAG_BASELINE_CARRIED_H_

#include <map>
#include <string>

#include "diag/baseline/seal.h"
#include "diag/baseline/snapshot.h"
#include "diag/facts/facts.h"
#include "diag/host/host.h"
#include "diag/host/observed.h"

namespace vgpu::baseline {

struct Carried {
  // The host is a capture from which secrets were taken out. The rest says something only then.
  bool redacted = false;
  std::string inner_check = {};  // of the Sealer of the host; empty: it has none
  // What it is of: another unit or process has other values.
  std::string unit = {};
  int pid = 0;  // 0: none ran
  std::map<std::string, host::Observed<Value>, std::less<>> entries = {};
};

// `of_host` has inner seals.
Carried Carry(const Snapshot& of_host, const Snapshot& of_capture, int pid);

// As JSON: one object, the manifest's key "seals".
std::string CarriedText(const Carried& carried);

// Of a live host, and of a capture that hides nothing: nothing.
Carried ReadCarried(const host::Host& host);

// Of the process that is judged; 0: there is none.
int ProcessOf(const facts::Facts& facts);

// Puts what is carried in its place. What is hidden and not carried is not observed.
void PutCarried(const Carried& carried, int pid, const Sealer& sealer, Snapshot& snapshot);

}  // namespace vgpu::baseline

#endif  // DIAG_BASELINE_CARRIED_H_
