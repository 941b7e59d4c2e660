// A line of a capture's files.jsonl: what is known of one path of the captured host.
//
// The form is the contract's (host-tree.md). A line of a real host is a kilobyte, most of it what
// an ELF file says of itself, and a capture has a thousand of them: the rest is read without a
// document in memory, and the ELF facts are handed on as text.

#ifndef DIAG_HOST_LISTED_FILE_H_
#define DIAG_HOST_LISTED_FILE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/host/host.h"

namespace vgpu::host {

struct ListedFile {
  std::string path;     // as the line has it, absolute
  bool absent = false;  // it was looked for and was not there
  FileMeta meta;
  std::string target;  // of a link
  std::string elf;     // the JSON object, not parsed yet; empty where there is none
  std::optional<std::vector<std::string>> names;  // what a listing of the directory gave, sorted
};

// Members of a type that is not theirs are passed over, as unknown ones are; of a member that
// stands there twice the last counts. nullopt: the line is no JSON object, or has no absolute path.
// Thread-safe.
std::optional<ListedFile> ParseListedFile(absl::string_view line);

}  // namespace vgpu::host

#endif  // DIAG_HOST_LISTED_FILE_H_
