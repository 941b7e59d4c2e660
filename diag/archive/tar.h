// tar archives (POSIX.1-2017 ustar and pax; of GNU's own, long names).
//
//   TarWriter writer(sink);
//   writer.Add({.path = "etc/hostname", .content = "test10\n"});
//   writer.Finish();
//
//   TarReader reader(source);
//   while (true) {
//     absl::StatusOr<std::optional<TarMember>> member = reader.Next();
//     if (!member.ok() || !member->has_value()) break;
//   }
//
// The reader trusts nothing: sums are checked, memory grows with what was read and not
// with what a header promises, and each bound that is broken is an error that says which.
// What a member's path means (where it leads, whether it is there twice) is for who asks.

#ifndef DIAG_ARCHIVE_TAR_H_
#define DIAG_ARCHIVE_TAR_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "diag/archive/byte_sink.h"
#include "diag/host/host.h"

namespace vgpu::archive {

struct TarMember {
  enum class Type {
    kFile,
    kHardLink,  // to the member called `target`
    kSymlink,
    kCharDevice,
    kBlockDevice,
    kDir,
    kFifo,
  };
  Type type = Type::kFile;
  std::string path = {};    // as written; a directory's may end in a slash
  std::string target = {};  // of links
  std::string content = {};
  uint32_t mode = 0644;
  absl::Time mtime = absl::UnixEpoch();
};

class TarWriter {
 public:
  // `sink` has to outlive it.
  explicit TarWriter(ByteSink& sink) : sink_(sink) {}

  // A name of any length. Errors are the sink's.
  absl::Status Add(const TarMember& member);
  // The end of the archive: without it, readers call it cut.
  absl::Status Finish();

 private:
  absl::Status AddBlocks(const TarMember& member, char type, absl::string_view path,
                         absl::string_view target);
  ByteSink& sink_;
};

struct TarLimits {
  size_t members = 200000;
  uint64_t bytes = uint64_t{256} << 20;    // of all contents together
  size_t header_bytes = size_t{64} << 10;  // of one long name, or one pax header
};

class TarReader {
 public:
  // `source` has to outlive it.
  explicit TarReader(host::ByteSource& source, const TarLimits& limits = {})
      : source_(source), limits_(limits) {}

  // The next member; none at the end. After an error there is nothing more to be had.
  absl::StatusOr<std::optional<TarMember>> Next();

 private:
  absl::StatusOr<bool> ReadBlock(char* block);
  absl::StatusOr<std::string> ReadContent(uint64_t size, uint64_t limit, absl::string_view of);

  host::ByteSource& source_;
  TarLimits limits_;
  size_t members_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace vgpu::archive

#endif  // DIAG_ARCHIVE_TAR_H_
