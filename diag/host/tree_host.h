// A captured host: files that mirror the host's root, in a directory or in an archive.
//
// With a folder .vgpu-capture it is a capture: what is not in it was not there,
// unless the manifest says that it was not observed, or that the capture holds nothing but
// answers to looks: then what has no answer in it was not looked at. Without that folder it
// is a plain root (an unpacked image, a mounted disk): its metadata is the file system's, and
// what exists on a running host only is not observed.

#ifndef DIAG_HOST_TREE_HOST_H_
#define DIAG_HOST_TREE_HOST_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "diag/host/host.h"
#include "diag/host/listed_file.h"
#include "diag/host/tree_files.h"

namespace vgpu::host {

class TreeHost : public Host {
 public:
  // Errors: `dir` is no directory or cannot be read; the manifest is malformed.
  static absl::StatusOr<std::unique_ptr<TreeHost>> Open(const std::string& dir);
  // The same of files that lie elsewhere. Error: the manifest is malformed.
  static absl::StatusOr<std::unique_ptr<TreeHost>> Over(std::unique_ptr<TreeFiles> files);

  Kind kind() const override { return Kind::kTree; }
  bool running() const override { return running_; }
  bool complete() const override { return complete_; }
  Observed<std::string> hostname() const override;
  Observed<absl::Time> observed_at() const override { return observed_at_; }
  absl::TimeZone time_zone() const override { return time_zone_; }
  Observed<std::string> unit() const override { return unit_; }
  Observed<uint32_t> observer_uid() const override { return observer_uid_; }
  std::vector<std::string> remarks() const override { return remarks_; }
  Observed<std::string> RecordedElf(absl::string_view resolved_path) const override;
  Observed<Content> RunTool(const ToolQuery& query, size_t limit) const override;
  Observed<std::unique_ptr<ByteSource>> StreamTool(const ToolQuery& query) const override;

 protected:
  Observed<FileMeta> RawStat(const std::string& path) const override;
  Observed<std::string> RawReadLink(const std::string& path) const override;
  Observed<Content> RawRead(const std::string& path, size_t limit) const override;
  Observed<std::unique_ptr<ByteSource>> RawOpen(const std::string& path) const override;
  Observed<std::unique_ptr<RangeSource>> RawOpenRanges(const std::string& path) const override;
  Observed<std::vector<std::string>> RawList(const std::string& path) const override;

 private:
  explicit TreeHost(std::unique_ptr<TreeFiles> files) : files_(std::move(files)) {}
  Observed<FileMeta> Stat(const std::string& path) const;
  absl::Status ReadManifest(absl::string_view text);
  void ReadFiles(absl::string_view text);
  Observed<std::string> ToolFile(const ToolQuery& query) const;
  // Why a file that is known to exist has no content here.
  std::string WhyNoContent(const std::string& path) const;
  const std::string* NotObservedBecause(absl::string_view path) const;
  template <typename T>
  Observed<T> Missing(const std::string& path) const;

  std::unique_ptr<TreeFiles> files_;
  bool captured_ = false;
  bool running_ = false;
  bool only_looked_at_ = false;
  bool complete_ = false;
  Observed<uint32_t> observer_uid_ = NotObserved{"a captured host"};
  Observed<std::string> hostname_ = NotObserved{"the manifest does not say"};
  Observed<absl::Time> observed_at_ = NotObserved{"the manifest does not say"};
  absl::TimeZone time_zone_ = absl::UTCTimeZone();
  Observed<std::string> unit_ = Absent{};
  std::vector<std::string> remarks_;
  absl::flat_hash_map<std::string, ListedFile> entries_;              // files.jsonl, by path
  absl::flat_hash_map<std::string, std::set<std::string>> children_;  // of directories, by entries_
  absl::flat_hash_map<std::string, std::string> not_observed_;        // path: reason
  std::set<std::string> first_part_;  // files of which more was there than was captured
  std::map<std::string, absl::Time> journal_from_;  // by file: since when a check reads it
  // What RawStat said. A path is walked from the root with a look at each of its
  // directories, thousands of times a run, and nobody changes a captured host meanwhile.
  mutable absl::flat_hash_map<std::string, Observed<FileMeta>> stats_;
  std::set<std::string> implied_dirs_;  // above what was not observed
};

}  // namespace vgpu::host

#endif  // DIAG_HOST_TREE_HOST_H_
