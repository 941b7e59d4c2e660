#include "diag/host/capture_layout.h"

#include "absl/strings/str_cat.h"

namespace vgpu::host {
namespace {

std::string FileOf(const ToolQuery& query) {
  switch (query.tool) {
    case Tool::kSystemctlShowUnit:
      return absl::StrCat("systemctl/show-", query.unit, ".txt");
    case Tool::kSystemctlShowManager:
      return "systemctl/show-manager.txt";
    case Tool::kSystemctlShowEnvironment:
      return "systemctl/show-environment.txt";
    case Tool::kSystemctlListUnits:
      return "systemctl/list-units.txt";
    case Tool::kJournalUnit:
      return absl::StrCat("journal/", query.unit, ".jsonl");
    case Tool::kJournalKernel:
      return "journal/kernel.jsonl";
    case Tool::kOllamaVersion:
      return "ollama/version.json";
    case Tool::kOllamaPs:
      return "ollama/ps.json";
  }
  return "";
}

}  // namespace

Observed<std::string> CaptureFileOf(const ToolQuery& query) {
  // It becomes a part of a file's name.
  if (query.unit.find('/') != std::string::npos) return NotObserved{"no unit name"};
  return absl::StrCat(kCaptureDir, "/", FileOf(query));
}

}  // namespace vgpu::host
