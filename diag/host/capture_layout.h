// Where a captured host keeps what plain files cannot say (host-tree.md).
//
// Captures that `vgpu-doctor capture` writes have keys that a captured host need not have.
// In the manifest:
//
//   only_looked_at   true: what has no answer in it was not looked at, and is not absent
//   complete         true: what was absent was absent on the host, and not only in a capture of it
//   running          false: of a plain root, which shows no running host
//   observer_uid     who captured: root sees more than others
//   redacted         whether secrets were taken out
//   first_part       files of which more was there than was captured
//   remarks          what else was cut, or odd
//   journal_from     of journals, by their file: since when a check reads them. What is older is
//                    for who asks for it (the time line)
//   seals            what redaction has hidden from a baseline, sealed (diag/baseline/carried.h):
//                    `check`, `unit`, `pid`, and `entries` of `key` and one of `value`, `absent`
//                    and `not_observed`
//
// In a line of files.jsonl `names`, of a directory: what a listing of it gave. In its `elf`
// those of diag/elf/elf_json.h, and `named_objects` (diag/facts/shared_object_names.h).

#ifndef DIAG_HOST_CAPTURE_LAYOUT_H_
#define DIAG_HOST_CAPTURE_LAYOUT_H_

#include <string>

#include "diag/host/host.h"
#include "diag/host/observed.h"

namespace vgpu::host {

inline constexpr char kCaptureDir[] = "/.vgpu-capture";
inline constexpr char kManifest[] = "/.vgpu-capture/manifest.json";
inline constexpr char kFilesList[] = "/.vgpu-capture/files.jsonl";
inline constexpr char kCaptureSchema[] = "vgpu-doctor.capture/1";

// The file that holds what a tool printed. Not observed: the query names no unit.
Observed<std::string> CaptureFileOf(const ToolQuery& query);

}  // namespace vgpu::host

#endif  // DIAG_HOST_CAPTURE_LAYOUT_H_
