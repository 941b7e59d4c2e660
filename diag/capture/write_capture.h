// Writes what was recorded of a host as a captured host (host-tree.md), in one archive.
//
// The manifest says `only_looked_at`: the capture holds the answer to every look, so that what
// has none in it was not looked at and is not taken for absent; and `complete` where what was
// absent was absent on the host itself. Of ELF files there are the
// facts, no bytes; of logs the newest part. What could not be read, or was left out, is named.

#ifndef DIAG_CAPTURE_WRITE_CAPTURE_H_
#define DIAG_CAPTURE_WRITE_CAPTURE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "diag/archive/byte_sink.h"
#include "diag/capture/recording_host.h"
#include "diag/capture/redactor.h"
#include "diag/host/host.h"

namespace vgpu::capture {

struct CaptureOptions {
  std::string directory = "vgpu-capture";  // in which all members lie
  std::string unit = {};                   // to judge; empty: none was
  std::string tool_version = {};
  // What the manifest's key "seals" has, as JSON, of the host that the capture will be; called
  // where something is redacted. Unset, or an empty answer: nothing.
  std::function<std::string(const host::Host& captured)> seals = {};
};

struct CaptureSummary {
  size_t looks = 0;   // paths and outputs
  size_t absent = 0;  // of these: there is no such thing
  // Of these what could not be told, by the reason for it.
  std::map<std::string, size_t> not_observed = {};
  uint64_t bytes = 0;  // before compression
};

// `host` is the one that the record is of. Null `redactor`: nothing is redacted. Errors are
// the sink's.
absl::StatusOr<CaptureSummary> WriteCapture(const host::Host& host, const Record& record,
                                            const Redactor* redactor, const CaptureOptions& options,
                                            archive::ByteSink& sink);

}  // namespace vgpu::capture

#endif  // DIAG_CAPTURE_WRITE_CAPTURE_H_
