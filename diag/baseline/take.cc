#include "diag/baseline/take.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "diag/baseline/kinds.h"
#include "diag/baseline/sha256.h"
#include "diag/baseline/take_parts.h"
#include "diag/facts/access.h"
#include "diag/report/redact.h"
#include "diag/report/version.h"
#include "diag/report/visible.h"

namespace vgpu::baseline {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;

// Longer keys (names that a host chose) are no keys.
constexpr size_t kMaxKey = 1024;

// What separates the entries of a variable that is a list. LD_PRELOAD: ld.so(8). Any other one of
// the ordered kinds is a list of devices.
absl::string_view Separators(absl::string_view name) {
  if (name == "LD_PRELOAD") return " :\n";
  if (name == "LD_LIBRARY_PATH") return ":;";
  return ",";
}

void Verify(const facts::Facts& facts, report::Verdict verdict, Snapshot& snapshot) {
  const Observed<bool> found = facts.FoundGpu();
  if (!found.present()) {
    snapshot.because = std::string(found.why_not());
  } else if (!*found) {
    snapshot.because = "the last discovery of the running process found no GPU";
  } else if (verdict == report::Verdict::kProblem) {
    snapshot.because =
        "discovery had found the GPU, and something else is wrong (vgpu-doctor check)";
  } else {
    snapshot.verified = true;
    const ollama::Compute& result = *facts.ThisStart()->Result();
    snapshot.because = report::VisibleQuote(report::RedactSecrets(result.line.text), 512);
  }
}

}  // namespace

Observed<std::string> FileHashes::Of(const host::Resolved& found, absl::string_view root) {
  if (found.meta.sha256.present()) return found.meta.sha256;
  auto [it, is_new] = known_.try_emplace(found.path);
  if (!is_new) return it->second;
  if (found.meta.size.present() && *found.meta.size > kMaxHashed) {
    return it->second = NotObserved{"larger than 64 MiB"};
  }
  // Resolved already: the root is a part of the path.
  Observed<std::unique_ptr<host::ByteSource>> source =
      root.empty() || !absl::StartsWith(found.path, root)
          ? host_.Open(found.path, root)
          : host_.Open(absl::string_view(found.path).substr(root.size()), root);
  if (!source.present()) return it->second = NoValue<std::string>(source);
  Sha256 hash;
  std::string buffer(size_t{256} << 10, '\0');
  const std::unique_ptr<host::ByteSource> bytes = std::move(source).value();
  for (uint64_t total = 0;;) {
    const absl::StatusOr<size_t> got = bytes->Read(buffer.data(), buffer.size());
    if (!got.ok()) return it->second = NotObserved{std::string(got.status().message())};
    if (*got == 0) break;
    if ((total += *got) > kMaxHashed) return it->second = NotObserved{"larger than 64 MiB"};
    hash.Add(absl::string_view(buffer).substr(0, *got));
  }
  return it->second = absl::BytesToHexString(hash.Finish());
}

void Builder::Add(absl::string_view key, Observed<Value> value, From from) {
  std::string shown = report::Visible(key);
  if (shown.size() > kMaxKey || out_.entries.size() >= kMaxEntries) return;
  out_.entries[std::move(shown)] = {std::move(value), report::VisibleQuote(from.source, kMaxKey),
                                    from.line};
}

void Builder::Put(absl::string_view key, const Observed<std::string>& text, From from) {
  Add(key,
      text.present() ? Observed<Value>(report::Visible(sealer_.Text(*text))) : NoValue<Value>(text),
      std::move(from));
}

void Builder::PutSealed(absl::string_view key, const Observed<std::string>& text, From from) {
  Add(key, text.present() ? Observed<Value>(sealer_.Whole(*text)) : NoValue<Value>(text),
      std::move(from));
}

void Builder::PutList(absl::string_view key, const Observed<Strings>& items, From from) {
  if (!items.present()) return Add(key, NoValue<Value>(items), std::move(from));
  Strings sealed;
  for (const std::string& item : *items) {
    if (sealed.size() + 1 == kMaxItems && items->size() > kMaxItems) {
      // What is left out still counts.
      std::string rest;
      for (size_t i = sealed.size(); i < items->size(); ++i)
        absl::StrAppend(&rest, (*items)[i], "\n");
      sealed.push_back(
          absl::StrCat("and ", items->size() - sealed.size(), " more: ", sealer_.Whole(rest)));
      break;
    }
    sealed.push_back(report::Visible(sealer_.Text(item)));
  }
  Add(key, Observed<Value>(std::move(sealed)), std::move(from));
}

void Builder::PutNumber(absl::string_view key, const Observed<double>& number, From from) {
  Add(key, number.present() ? Observed<Value>(*number) : NoValue<Value>(number), std::move(from));
}

void Builder::PutVariable(absl::string_view prefix, absl::string_view name,
                          const Observed<std::string>& value, From from) {
  const std::string key = absl::StrCat(prefix, name);
  const Kind* kind = FindKind(report::Visible(key));
  const bool list = kind != nullptr && kind->value_class == Class::kOrdered;
  if (!value.present()) return Add(key, NoValue<Value>(value), std::move(from));
  const std::string sealed = report::Visible(sealer_.Variable(name, *value));
  if (!list) return Add(key, Observed<Value>(sealed), std::move(from));
  if (HasSeal(sealed)) return Add(key, Observed<Value>(Strings{sealed}), std::move(from));
  const absl::string_view separators = Separators(name);
  // An empty directory of a search path is the working directory; an empty entry of another list
  // is none.
  Strings items =
      name == "LD_LIBRARY_PATH"
          ? Strings(absl::StrSplit(*value, absl::ByAnyChar(separators)))
          : Strings(absl::StrSplit(*value, absl::ByAnyChar(separators), absl::SkipEmpty()));
  PutList(key, items, std::move(from));
}

void Builder::Looked(absl::string_view pattern, Observed<bool> looked) {
  out_.looked[std::string(pattern)] = std::move(looked);
}

Strings Stars(const Snapshot* like, absl::string_view pattern) {
  Strings stars;
  if (like == nullptr) return stars;
  for (const auto& [key, entry] : like->entries) {
    const Kind* kind = FindKind(key);
    if (kind != nullptr && kind->pattern == pattern) stars.emplace_back(kind->Star(key));
  }
  return stars;
}

Observed<std::string> WhatIs(const host::Host& host, absl::string_view path, absl::string_view root,
                             Observed<host::Resolved>* found) {
  host::Trace trace;
  *found = host.Resolve(path, root, &trace);
  const auto chain = [](const std::vector<std::pair<std::string, std::string>>& links) {
    std::string text;
    for (const auto& [link, target] : links) {
      absl::StrAppend(&text, text.empty() ? "" : " ", "-> ", target);
    }
    return text;
  };
  if (found->present()) {
    const std::string links = chain((*found)->links);
    return links.empty() ? std::string(host::FileTypeName((*found)->meta.type)) : links;
  }
  if (found->absent() && !trace.links.empty() && host.ResolveNoFollow(path, root).present()) {
    return absl::StrCat(chain(trace.links), trace.loop ? " (in a circle)" : " (not there)");
  }
  return NoValue<std::string>(*found);
}

Observed<std::string> OwnerText(const host::FileMeta& meta) {
  if (!meta.uid.present()) return NoValue<std::string>(meta.uid);
  if (!meta.gid.present()) return NoValue<std::string>(meta.gid);
  return absl::StrCat(*meta.uid, ":", *meta.gid);
}

Observed<std::string> ModeOf(const host::FileMeta& meta) {
  return meta.mode.Map([](uint32_t mode) { return facts::ModeText(mode); });
}

namespace {

// /etc/machine-id; empty where it is not known.
std::string MachineId(const host::Host& host) {
  const Observed<host::Content> content = host.Read("/etc/machine-id", 64);
  std::string id;
  if (content.present()) id = std::string(absl::StripAsciiWhitespace(content->bytes));
  const bool is_id = id.size() == 32 && std::all_of(id.begin(), id.end(),
                                                    [](char c) { return absl::ascii_isxdigit(c); });
  return is_id ? id : "";
}

}  // namespace

Sealer SealerFor(const host::Host& host, const Carried& carried, absl::string_view salt, int form) {
  // Where another id has taken its place.
  if (carried.redacted) return Sealer::OfCapture(salt, carried.inner_check, form);
  return Sealer(salt, MachineId(host), form);
}

Snapshot Take(const host::Host& host, const facts::Facts& facts, report::Verdict verdict,
              const TakeOptions& options, FileHashes& hashes) {
  Snapshot snapshot;
  snapshot.name = report::VisibleQuote(options.name, 256);
  snapshot.tool_version = report::kToolVersion;
  snapshot.captured_at = facts.observed_at;
  snapshot.time_zone = facts.time_zone;
  Verify(facts, verdict, snapshot);
  const auto visible = [](const std::string& text) { return report::VisibleQuote(text, 256); };
  snapshot.hostname = facts.hostname.Map(visible);
  snapshot.unit = facts.unit_judged ? visible(facts.unit.name) : "";
  snapshot.ollama_version = facts.ollama.version.Map(visible);
  snapshot.era = std::string(ollama::EraName(facts.ollama.era));
  snapshot.profile =
      facts.devices.configured.Map([&](const facts::DeviceConfig& config) -> Observed<std::string> {
        if (config.devices.empty()) return Absent{};
        return visible(config.devices.front().profile);
      });
  snapshot.salt = options.sealer.salt();
  snapshot.seal_check = options.sealer.check();
  snapshot.seal_form = options.sealer.form();

  Builder out(options.sealer, snapshot);
  const Subject subject{host, facts, options.like, hashes};
  TakeHost(subject, out);
  TakeUnit(subject, out);
  TakeProcess(subject, out);
  TakeLibraries(subject, out);
  TakeOllama(subject, out);
  TakeDevices(subject, out);
  TakeDiscovery(subject, out);
  if (options.carried != nullptr) {
    PutCarried(*options.carried, ProcessOf(facts), options.sealer, snapshot);
  }
  return snapshot;
}

}  // namespace vgpu::baseline
