// Looks at the files of one run, each once: where a path leads, and what the ELF file
// there says about itself.
//
// A path is that of a process, by its view: below `root`, or mounted from elsewhere. What a capture
// recorded of a file wins over its bytes.
//
// Thread-compatible. The Host has to outlive it.

#ifndef DIAG_LOADER_FILES_H_
#define DIAG_LOADER_FILES_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "diag/elf/elf.h"
#include "diag/host/host.h"
#include "diag/host/observed.h"

namespace vgpu::loader {

// Shared: a model of ten processes holds each library's symbols once.
using ElfRef = std::shared_ptr<const elf::ElfInfo>;

// What a process sees at a path that has no symbolic link in it.
struct Seen {
  enum class What { kAsHost, kElsewhere, kHidden, kUnknown };
  What what = What::kAsHost;
  std::string host_path;  // of kElsewhere: what is mounted there
  std::string why;        // of kUnknown
};

struct View {
  std::string root;  // prefix, as of Host::Resolve
  // Where mounts of the process are known apart from its root. Null: it sees what the host
  // has. `name` tells views with different ones apart.
  std::function<Seen(absl::string_view path)> sees;
  std::string name;
};

class Files {
 public:
  explicit Files(const host::Host& host) : host_(host) {}

  struct Look {
    host::Observed<host::Resolved> found;
    host::Trace trace;  // where it is absent: how far the look came
  };
  const Look& At(const View& view, absl::string_view path);

  host::Observed<host::Content> Read(const View& view, absl::string_view path, size_t limit);

  // Of a regular file that `At` found.
  const host::Observed<ElfRef>& ElfOf(const View& view, absl::string_view path);

  const host::Host& host() const { return host_; }

 private:
  struct Known {
    Look look;
    std::string host_path;  // where it was looked up, below `root`
    std::string root;
    std::optional<host::Observed<ElfRef>> elf;
  };
  Known& Get(const View& view, absl::string_view path);

  const host::Host& host_;
  absl::flat_hash_map<std::string, std::unique_ptr<Known>>
      known_;  // by view and path; handed out by reference
  absl::flat_hash_map<std::string, host::Observed<ElfRef>> by_file_;  // by resolved path
};

// ELF facts of a file: those that a capture recorded, else read from it. `found` is where
// `path` leads below `root`.
host::Observed<elf::ElfInfo> ReadElfOf(const host::Host& host, const host::Resolved& found,
                                       absl::string_view path, absl::string_view root,
                                       elf::ReadOptions options = {});

}  // namespace vgpu::loader

#endif  // DIAG_LOADER_FILES_H_
