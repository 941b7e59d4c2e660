// Whether each library has the versions and symbols that another one needs of it.
//
// One step of the model in loader.h, which uses it: private to this directory.

#ifndef DIAG_LOADER_BINDING_H_
#define DIAG_LOADER_BINDING_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "diag/elf/elf.h"
#include "diag/loader/loader.h"

namespace vgpu::loader {

// The exported symbols of files, by name. Made once for each file.
class Exports {
 public:
  using Versions = std::vector<const elf::ExportedSymbol*>;
  // Null where the file exports no symbol of that name.
  const Versions* Find(const ElfRef& file, absl::string_view name);

 private:
  struct Index {
    ElfRef file;  // what the names point into
    absl::flat_hash_map<absl::string_view, Versions> by_name;
  };
  std::map<const elf::ElfInfo*, Index> indices_;
};

struct BindingOptions {
  bool at_once = false;  // LD_BIND_NOW or RTLD_NOW
  bool dlopen = false;
  std::string argv0;
};

// Version nodes that objects [first, end) need and do not find (_dl_check_map_versions).
void CheckVersions(const std::vector<Object>& objects, size_t first, const BindingOptions& options,
                   std::vector<Problem>& problems, std::vector<Unseen>& unseen);

// Symbols that objects [first, end) need and that no object of `scope` defines.
void CheckSymbols(const std::vector<Object>& objects, size_t first,
                  const std::vector<size_t>& scope, const BindingOptions& options, Exports& exports,
                  std::vector<Problem>& problems, std::vector<Unseen>& unseen);

}  // namespace vgpu::loader

#endif  // DIAG_LOADER_BINDING_H_
