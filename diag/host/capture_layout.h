// Where a captured host keeps what plain files cannot say (host-tree.md).

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
