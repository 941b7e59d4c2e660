#include "diag/logfmt/needle_set.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vgpu::logfmt {
namespace {

// How often a byte comes in a journal's JSON and in Ollama's log, roughly: the bytes
// from the most frequent down, each next one a little less. What is not listed is rare.
// A wrong guess costs time, never a match.
std::array<double, 256> ByteFrequencies() {
  constexpr absl::string_view kFrequent =
      "\"0123456789_e,:STEIMDaNOArcdbfRot nsil=-./mUCPLupgGhvyHkBVFYw[]|";
  std::array<double, 256> frequencies;
  frequencies.fill(1.0 / 1000);
  for (size_t i = 0; i < kFrequent.size(); ++i) {
    frequencies[static_cast<unsigned char>(kFrequent[i])] = 1.0 / (12.0 + 2.0 * i);
  }
  return frequencies;
}

// The texts that one bucket's tables let through, by window byte.
struct NibbleSets {
  uint16_t low = 0;
  uint16_t high = 0;

  void Add(unsigned char byte) {
    low |= uint16_t{1} << (byte & 15);
    high |= uint16_t{1} << (byte >> 4);
  }
  double Frequency(const std::array<double, 256>& frequencies) const {
    double sum = 0;
    for (int byte = 0; byte < 256; ++byte) {
      if ((low >> (byte & 15) & 1) && (high >> (byte >> 4) & 1)) sum += frequencies[byte];
    }
    return sum;
  }
};

struct Place {
  size_t needle = 0;
  size_t offset = 0;
};

// The windows that together stand for all needles, each with the needles that it
// stands for. A window that several needles share is worth a more frequent one: the
// choice is the greedy one of weighted set cover.
std::vector<std::pair<std::string, std::vector<Place>>> CoverNeedles(
    const std::vector<std::string>& needles, size_t window,
    const std::array<double, 256>& frequencies) {
  struct Candidate {
    double cost = 1;
    std::vector<Place> places;  // one per needle
  };
  std::map<std::string, Candidate> candidates;
  for (size_t i = 0; i < needles.size(); ++i) {
    const size_t width = std::min(window, needles[i].size());
    for (size_t offset = 0; offset + width <= needles[i].size(); ++offset) {
      Candidate& candidate = candidates[needles[i].substr(offset, width)];
      if (candidate.places.empty()) {
        for (size_t j = 0; j < width; ++j) {
          candidate.cost *= frequencies[static_cast<unsigned char>(needles[i][offset + j])];
        }
      }
      if (candidate.places.empty() || candidate.places.back().needle != i) {
        candidate.places.push_back({i, offset});
      }
    }
  }

  std::vector<std::pair<std::string, std::vector<Place>>> cover;
  std::vector<bool> covered(needles.size());
  size_t left = needles.size();
  while (left > 0) {
    const std::pair<const std::string, Candidate>* best = nullptr;
    double best_cost = 0;
    for (const auto& entry : candidates) {
      const auto gain = std::count_if(entry.second.places.begin(), entry.second.places.end(),
                                      [&](const Place& p) { return !covered[p.needle]; });
      if (gain == 0) continue;
      const double cost = entry.second.cost / static_cast<double>(gain);
      if (best == nullptr || cost < best_cost) {
        best = &entry;
        best_cost = cost;
      }
    }
    // Each needle has a window, so one is always found while a needle is left.
    if (best == nullptr) std::abort();
    std::vector<Place> places;
    for (const Place& place : best->second.places) {
      if (covered[place.needle]) continue;
      covered[place.needle] = true;
      --left;
      places.push_back(place);
    }
    cover.emplace_back(best->first, std::move(places));
  }
  return cover;
}

}  // namespace

bool NeedleSet::Supported(Path path) {
  switch (path) {
    case Path::kBest:
    case Path::kPortable:
      return true;
#if defined(__x86_64__)
    case Path::kSsse3:
      return __builtin_cpu_supports("ssse3") != 0;
    case Path::kAvx2:
      return __builtin_cpu_supports("avx2") != 0;
#endif
    default:
      return false;
  }
}

absl::StatusOr<NeedleSet> NeedleSet::Create(absl::Span<const absl::string_view> needles,
                                            Path path) {
  if (needles.size() > kMaxNeedles) {
    return absl::InvalidArgumentError(
        absl::StrCat("needles: ", needles.size(), ", more than ", kMaxNeedles));
  }
  if (!Supported(path)) return absl::UnimplementedError("needles: not on this processor");
  NeedleSet set;
  for (absl::string_view needle : needles) {
    if (needle.empty() || needle.size() > kMaxNeedleSize ||
        needle.find('\n') != absl::string_view::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("needles: empty, too long or with a newline: ", needle.substr(0, 64)));
    }
    set.needles_.emplace_back(needle);
  }
  if (path == Path::kBest) {
    path = Supported(Path::kAvx2)    ? Path::kAvx2
           : Supported(Path::kSsse3) ? Path::kSsse3
                                     : Path::kPortable;
  }
  set.path_ = path;
  set.ChooseWindows();
  return set;
}

void NeedleSet::ChooseWindows() {
  const std::array<double, 256> frequencies = ByteFrequencies();
  std::array<std::array<NibbleSets, kWindow>, kBuckets> sets{};
  std::array<double, kBuckets> rates{};
  // Windows go where they add the least to what the bucket lets through by mistake.
  for (const auto& [window, places] : CoverNeedles(needles_, kWindow, frequencies)) {
    size_t best = 0;
    double best_growth = 0;
    double best_rate = 0;
    std::array<NibbleSets, kWindow> best_sets{};
    for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
      std::array<NibbleSets, kWindow> grown = sets[bucket];
      double rate = 1;
      for (size_t i = 0; i < kWindow; ++i) {
        if (i < window.size()) {
          grown[i].Add(static_cast<unsigned char>(window[i]));
        } else {
          grown[i] = {0xffff, 0xffff};
        }
        rate *= grown[i].Frequency(frequencies);
      }
      if (bucket == 0 || rate - rates[bucket] < best_growth) {
        best = bucket;
        best_growth = rate - rates[bucket];
        best_rate = rate;
        best_sets = grown;
      }
    }
    sets[best] = best_sets;
    rates[best] = best_rate;
    Anchor anchor;
    std::memcpy(&anchor.window, window.data(), window.size());
    const uint32_t ones = ~uint32_t{0};
    std::memcpy(&anchor.mask, &ones, window.size());
    for (const Place& place : places) {
      anchor.needle = place.needle;
      anchor.offset = place.offset;
      buckets_[best].push_back(anchor);
    }
  }

  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    for (size_t i = 0; i < kWindow; ++i) {
      for (size_t nibble = 0; nibble < 16; ++nibble) {
        if (sets[bucket][i].low >> nibble & 1) low_[i][nibble] |= uint8_t(1 << bucket);
        if (sets[bucket][i].high >> nibble & 1) high_[i][nibble] |= uint8_t(1 << bucket);
      }
    }
  }
  for (size_t i = 0; i < kWindow; ++i) {
    for (size_t byte = 0; byte < 256; ++byte)
      byte_[i][byte] = low_[i][byte & 15] & high_[i][byte >> 4];
  }
}

std::optional<NeedleSet::Match> NeedleSet::Verify(absl::string_view text, size_t position,
                                                  uint32_t buckets) const {
  uint32_t window = 0;
  std::memcpy(&window, text.data() + position, std::min(kWindow, text.size() - position));
  for (; buckets != 0; buckets &= buckets - 1) {
    for (const Anchor& anchor : buckets_[static_cast<size_t>(__builtin_ctz(buckets))]) {
      if (((window ^ anchor.window) & anchor.mask) != 0 || position < anchor.offset) continue;
      const size_t start = position - anchor.offset;
      const std::string& needle = needles_[anchor.needle];
      if (text.size() - start < needle.size()) continue;
      if (std::memcmp(text.data() + start, needle.data(), needle.size()) != 0) continue;
      return Match{start, anchor.needle};
    }
  }
  return std::nullopt;
}

std::optional<NeedleSet::Match> NeedleSet::FindPortable(absl::string_view text, size_t from) const {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  for (size_t p = from; p < text.size(); ++p) {
    uint32_t buckets = byte_[0][bytes[p]];
    for (size_t i = 1; i < kWindow && buckets != 0 && p + i < text.size(); ++i) {
      buckets &= byte_[i][bytes[p + i]];
    }
    if (buckets == 0) continue;
    if (std::optional<Match> match = Verify(text, p, buckets)) return match;
  }
  return std::nullopt;
}

std::optional<NeedleSet::Match> NeedleSet::VerifyMany(absl::string_view text, size_t from,
                                                      uint32_t positions,
                                                      const uint8_t* buckets) const {
  for (; positions != 0; positions &= positions - 1) {
    const auto i = static_cast<size_t>(__builtin_ctz(positions));
    if (std::optional<Match> match = Verify(text, from + i, buckets[i])) return match;
  }
  return std::nullopt;
}

#if defined(__x86_64__)

namespace {

// The buckets that the bytes at `text` belong to, by one window byte's tables.
__attribute__((target("ssse3"), always_inline)) inline __m128i Buckets16(const char* text,
                                                                         __m128i low,
                                                                         __m128i high) {
  const __m128i nibble = _mm_set1_epi8(15);
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const __m128i by_low = _mm_shuffle_epi8(low, _mm_and_si128(bytes, nibble));
  const __m128i by_high = _mm_shuffle_epi8(high, _mm_and_si128(_mm_srli_epi16(bytes, 4), nibble));
  return _mm_and_si128(by_low, by_high);
}

__attribute__((target("ssse3"), always_inline)) inline __m128i Table16(
    const std::array<uint8_t, 16>& table) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(table.data()));
}

__attribute__((target("avx2"), always_inline)) inline __m256i Buckets32(const char* text,
                                                                        __m256i low, __m256i high) {
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
  const __m256i by_low = _mm256_shuffle_epi8(low, _mm256_and_si256(bytes, nibble));
  const __m256i by_high =
      _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble));
  return _mm256_and_si256(by_low, by_high);
}

__attribute__((target("avx2"), always_inline)) inline __m256i Table32(
    const std::array<uint8_t, 16>& table) {
  return _mm256_broadcastsi128_si256(
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(table.data())));
}

}  // namespace

// Written out for the window's bytes, so that the tables stay in registers.

__attribute__((target("ssse3"))) std::optional<NeedleSet::Match> NeedleSet::FindSsse3(
    absl::string_view text) const {
  static_assert(kWindow == 4);
  constexpr size_t kStep = 16;
  const __m128i low0 = Table16(low_[0]), low1 = Table16(low_[1]);
  const __m128i low2 = Table16(low_[2]), low3 = Table16(low_[3]);
  const __m128i high0 = Table16(high_[0]), high1 = Table16(high_[1]);
  const __m128i high2 = Table16(high_[2]), high3 = Table16(high_[3]);
  size_t p = 0;
  for (; text.size() - p >= kStep + kWindow - 1; p += kStep) {
    const char* at = text.data() + p;
    const __m128i found = _mm_and_si128(
        _mm_and_si128(Buckets16(at, low0, high0), Buckets16(at + 1, low1, high1)),
        _mm_and_si128(Buckets16(at + 2, low2, high2), Buckets16(at + 3, low3, high3)));
    const __m128i none = _mm_cmpeq_epi8(found, _mm_setzero_si128());
    const uint32_t positions = 0xffffu & ~static_cast<uint32_t>(_mm_movemask_epi8(none));
    if (positions == 0) continue;
    alignas(16) uint8_t buckets[kStep];
    _mm_store_si128(reinterpret_cast<__m128i*>(buckets), found);
    if (std::optional<Match> match = VerifyMany(text, p, positions, buckets)) return match;
  }
  return FindPortable(text, p);
}

__attribute__((target("avx2"))) std::optional<NeedleSet::Match> NeedleSet::FindAvx2(
    absl::string_view text) const {
  static_assert(kWindow == 4);
  constexpr size_t kStep = 32;
  const __m256i low0 = Table32(low_[0]), low1 = Table32(low_[1]);
  const __m256i low2 = Table32(low_[2]), low3 = Table32(low_[3]);
  const __m256i high0 = Table32(high_[0]), high1 = Table32(high_[1]);
  const __m256i high2 = Table32(high_[2]), high3 = Table32(high_[3]);
  size_t p = 0;
  for (; text.size() - p >= kStep + kWindow - 1; p += kStep) {
    const char* at = text.data() + p;
    const __m256i found = _mm256_and_si256(
        _mm256_and_si256(Buckets32(at, low0, high0), Buckets32(at + 1, low1, high1)),
        _mm256_and_si256(Buckets32(at + 2, low2, high2), Buckets32(at + 3, low3, high3)));
    const __m256i none = _mm256_cmpeq_epi8(found, _mm256_setzero_si256());
    const uint32_t positions = ~static_cast<uint32_t>(_mm256_movemask_epi8(none));
    if (positions == 0) continue;
    alignas(32) uint8_t buckets[kStep];
    _mm256_store_si256(reinterpret_cast<__m256i*>(buckets), found);
    if (std::optional<Match> match = VerifyMany(text, p, positions, buckets)) return match;
  }
  return FindPortable(text, p);
}

#endif  // __x86_64__

std::optional<NeedleSet::Match> NeedleSet::Find(absl::string_view text) const {
  if (needles_.empty()) return std::nullopt;
#if defined(__x86_64__)
  if (path_ == Path::kAvx2) return FindAvx2(text);
  if (path_ == Path::kSsse3) return FindSsse3(text);
#endif
  return FindPortable(text, 0);
}

}  // namespace vgpu::logfmt
