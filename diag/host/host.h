// One host, live or captured, behind one interface. Nothing else in diag/ touches
// an operating system.
//
//   auto host = TreeHost::Open("/tmp/case-4711");        // or a LiveHost
//   Observed<Content> unit = (*host)->Read("/etc/systemd/system/ollama.service");
//
// Every path is absolute, as on the host that is judged. Symbolic links, absolute
// ones too, are resolved inside the root, and `..` never leaves it. Reads are bounded in bytes and
// in time; what is not a regular file (a FIFO, a device, a socket) is not opened. Nothing of the
// host is executed or loaded, but for the standard tools that LiveHost runs and two GETs of
// Ollama's own API on 127.0.0.1.
//
// Thread-compatible: one thread at a time per Host.

#ifndef DIAG_HOST_HOST_H_
#define DIAG_HOST_HOST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "diag/host/observed.h"

namespace vgpu::capture {
class RecordingHost;
}

namespace vgpu::host {

enum class FileType { kFile, kDir, kSymlink, kCharDevice, kBlockDevice, kFifo, kSocket };

// "file", "dir", "symlink", "chr", "blk", "fifo", "socket": the words of files.jsonl.
absl::string_view FileTypeName(FileType type);

// Two paths with one FileId are one file (st_dev and st_ino of stat(2)).
struct FileId {
  uint64_t dev = 0;
  uint64_t ino = 0;
  friend bool operator==(const FileId&, const FileId&) = default;
};

// What stat(2) says. A checkout or an archive keeps less than a file system does:
// each member but the type may be not observed.
struct FileMeta {
  FileType type = FileType::kFile;
  Observed<uint32_t> mode;  // permission bits, 07777
  Observed<uint32_t> uid;
  Observed<uint32_t> gid;
  Observed<uint64_t> size;  // bytes
  Observed<absl::Time> mtime;
  Observed<absl::Time> ctime;
  Observed<FileId> id;
  Observed<std::string> caps;    // file capabilities as getcap prints them; absent: none
  Observed<std::string> sha256;  // of the content, lower-case hex
};

// Where a path leads. `path` has no symbolic link in it. `links` are the links that
// were followed on the way, each as (path of the link, its target verbatim).
struct Resolved {
  std::string path;
  FileMeta meta;
  std::vector<std::pair<std::string, std::string>> links;
};

// How far a look at a path came: for saying why something is absent.
struct Trace {
  std::vector<std::pair<std::string, std::string>> links;  // followed, in order
  std::string stopped_at;                                  // the first path that is not there
  bool loop = false;                                       // too many links: a loop
};

struct Content {
  std::string path;  // that was read, resolved
  std::string bytes;
  bool truncated = false;  // more was there than the limit allows
};

// A stream of bytes in bounded memory: a log of any size, or a tool's output.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills up to `size` bytes and returns how many; 0 at the end. An error says why
  // the rest could not be read; what was delivered before it stands.
  virtual absl::StatusOr<size_t> Read(char* buffer, size_t size) = 0;
};

// A regular file of any size, of which any part can be read.
class RangeSource {
 public:
  virtual ~RangeSource() = default;
  // Of the file as it was opened.
  virtual uint64_t size() const = 0;
  // The bytes from `offset` on, at most `length`; fewer at the end of the file. An error
  // says why they could not be read.
  virtual absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t length) const = 0;
};

// The outputs of standard tools that a captured host carries (host-tree.md) and a
// live host is asked for.
enum class Tool {
  kSystemctlShowUnit,         // systemctl show UNIT
  kSystemctlShowManager,      // systemctl show
  kSystemctlShowEnvironment,  // systemctl show-environment
  kSystemctlListUnits,        // systemctl list-units --all --plain --no-legend --type=service
  kJournalUnit,               // journalctl -u UNIT -o json
  kJournalKernel,             // journalctl -k -o json
  kOllamaVersion,             // GET /api/version
  kOllamaPs,                  // GET /api/ps
};

struct ToolQuery {
  Tool tool = Tool::kSystemctlShowUnit;
  std::string unit = {};                    // for the tools that take one
  absl::Time since = absl::InfinitePast();  // journals, live: older entries are not asked for
  uint16_t port = 11434;                    // Ollama's API, live: on 127.0.0.1
};

class Host {
 public:
  enum class Kind { kLive, kTree };

  static constexpr size_t kDefaultLimit = size_t{4} << 20;

  virtual ~Host() = default;

  virtual Kind kind() const = 0;
  // True where a running system was looked at (live, or captured while it ran);
  // false for a plain root: an unpacked image, a mounted disk.
  virtual bool running() const = 0;
  // Whether what is absent is known to be absent: on a live host, and in a capture that
  // holds the answer to every look. Elsewhere it may only not have been captured.
  virtual bool complete() const { return kind() == Kind::kLive; }
  virtual Observed<std::string> hostname() const = 0;
  virtual Observed<absl::Time> observed_at() const = 0;
  virtual absl::TimeZone time_zone() const = 0;
  // The unit that the capture was made for, where it names one.
  virtual Observed<std::string> unit() const = 0;
  // Who looks: uid 0 sees more of other users' processes. Not observed for a tree.
  virtual Observed<uint32_t> observer_uid() const = 0;
  // What is odd about the source itself ("files.jsonl: 3 malformed lines skipped").
  virtual std::vector<std::string> remarks() const = 0;

  // What a path leads to, following symbolic links in every component. A path with
  // `root` set is resolved as a process sees it whose root directory is `root`
  // ("/proc/57290/root"): absolute links start there. The answer's path carries
  // `root` as a prefix.
  // Absent also where a link leads nowhere or in a circle; `trace` then tells how far
  // the look came.
  Observed<Resolved> Resolve(absl::string_view path, absl::string_view root = "",
                             Trace* trace = nullptr) const;

  // The thing itself: the last component is not followed.
  Observed<Resolved> ResolveNoFollow(absl::string_view path, absl::string_view root = "") const;

  // The content of a regular file, followed through links; at most `limit` bytes.
  Observed<Content> Read(absl::string_view path, size_t limit = kDefaultLimit,
                         absl::string_view root = "") const;

  // A regular file as a stream.
  Observed<std::unique_ptr<ByteSource>> Open(absl::string_view path,
                                             absl::string_view root = "") const;

  // A regular file of which parts are read: a library of gigabytes.
  Observed<std::unique_ptr<RangeSource>> OpenRanges(absl::string_view path,
                                                    absl::string_view root = "") const;

  // Names in a directory, sorted by bytes, without "." and "..". At most
  // kMaxEntries; more is not observed.
  static constexpr size_t kMaxEntries = 100000;
  Observed<std::vector<std::string>> List(absl::string_view path,
                                          absl::string_view root = "") const;

  // The target of a symbolic link, verbatim (/proc/57290/exe). Its parents are
  // resolved, the link itself is not.
  Observed<std::string> ReadLink(absl::string_view path) const;

  // ELF facts that a capture recorded for a (resolved) path in files.jsonl: one JSON
  // object. Absent where none were recorded.
  virtual Observed<std::string> RecordedElf(absl::string_view resolved_path) const = 0;

  // What a tool prints, whole (at most `limit` bytes) or as a stream.
  virtual Observed<Content> RunTool(const ToolQuery& query, size_t limit = kDefaultLimit) const = 0;
  virtual Observed<std::unique_ptr<ByteSource>> StreamTool(const ToolQuery& query) const = 0;

 protected:
  // One look each at a path whose parents are known to be no symbolic links. No link
  // is followed, in any component.
  virtual Observed<FileMeta> RawStat(const std::string& path) const = 0;
  virtual Observed<std::string> RawReadLink(const std::string& path) const = 0;
  virtual Observed<Content> RawRead(const std::string& path, size_t limit) const = 0;
  virtual Observed<std::unique_ptr<ByteSource>> RawOpen(const std::string& path) const = 0;
  virtual Observed<std::unique_ptr<RangeSource>> RawOpenRanges(const std::string& path) const = 0;
  virtual Observed<std::vector<std::string>> RawList(const std::string& path) const = 0;

 private:
  // Stands before another host and writes down what it answers.
  friend class capture::RecordingHost;

  Observed<Resolved> Walk(absl::string_view path, absl::string_view root, bool follow_last,
                          Trace* trace) const;
};

// How a person asks for the same: "systemctl show ollama.service".
std::string ToolSource(const ToolQuery& query);

// `dir`, one slash, `name`.
std::string JoinPath(absl::string_view dir, absl::string_view name);
// The part behind the last slash; the part before it ("/" for a top-level name).
absl::string_view Basename(absl::string_view path);
absl::string_view Dirname(absl::string_view path);

}  // namespace vgpu::host

#endif  // DIAG_HOST_HOST_H_
