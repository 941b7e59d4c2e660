// The values of a capture's JSON, as the manifest and the list of files write them
// (host-tree.md). A capture is somebody's text: what is no such value was not observed, and
// is never taken for another one.
//
// Pure and thread-safe.

#ifndef DIAG_HOST_CAPTURED_VALUE_H_
#define DIAG_HOST_CAPTURED_VALUE_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "diag/host/observed.h"

namespace vgpu::host {

// Of "2026-02-24T10:06:00.5-05:00" (RFC 3339).
Observed<absl::Time> CapturedTime(absl::string_view text);

// A user's or a group's number: 32 bits in Linux. A larger one is not its low half, which may
// be root's.
Observed<uint32_t> CapturedId(uint64_t number);

// Of octal digits, "0755".
Observed<uint32_t> CapturedMode(absl::string_view text);

}  // namespace vgpu::host

#endif  // DIAG_HOST_CAPTURED_VALUE_H_
