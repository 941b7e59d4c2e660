// A hash table from an address in the program to what was registered for it.
//
//   HostTable<Kernel> kernels;              // Kernel has `const void* host` and `Kernel*
//   in_bucket` kernels.Insert(kernel);                 // false: no memory Kernel* kernel =
//   kernels.Find(host);    // null: nothing; else the one inserted last kernels.Remove(kernel);
//
// The entries are the caller's. Insert, Find and Remove take constant time, but for the growing of
// the table. Not thread-safe.

#ifndef SHIMS_CUDART_HOST_TABLE_H_
#define SHIMS_CUDART_HOST_TABLE_H_

#include <stdlib.h>

#include <cstddef>
#include <cstdint>

namespace vgpu::cudart {

template <typename Entry>
class HostTable {
 public:
  constexpr HostTable() = default;
  HostTable(const HostTable&) = delete;
  HostTable& operator=(const HostTable&) = delete;

  bool Insert(Entry* entry) {
    // A table that cannot grow gets longer chains.
    if (entries_ >= buckets_ && !Grow() && buckets_ == 0) return false;
    Entry** bucket = Bucket(entry->host);
    entry->in_bucket = *bucket;
    *bucket = entry;
    ++entries_;
    return true;
  }

  Entry* Find(const void* host) const {
    if (buckets_ == 0) return nullptr;
    Entry* entry = *Bucket(host);
    while (entry != nullptr && entry->host != host) entry = entry->in_bucket;
    return entry;
  }

  void Remove(Entry* entry) {
    if (buckets_ == 0) return;
    for (Entry** at = Bucket(entry->host); *at != nullptr; at = &(*at)->in_bucket) {
      if (*at != entry) continue;
      *at = entry->in_bucket;
      --entries_;
      return;
    }
  }

  bool empty() const { return entries_ == 0; }

  // Gives the table's memory back, and knows no entry any more. There is no destructor that would:
  // a table that lives as long as the program needs no code at its end.
  void Clear() {
    free(table_);
    table_ = nullptr;
    buckets_ = 0;
    entries_ = 0;
  }

  template <typename Visit>
  void ForEach(Visit visit) {
    for (size_t i = 0; i < buckets_; ++i) {
      for (Entry* entry = table_[i]; entry != nullptr; entry = entry->in_bucket) visit(*entry);
    }
  }

 private:
  static constexpr size_t kFirst = 1024;

  Entry** Bucket(const void* host) const {
    // Fibonacci hashing: addresses differ in their middle bits.
    uint64_t hash = reinterpret_cast<uintptr_t>(host) * 0x9e3779b97f4a7c15u;
    return &table_[(hash >> 32) & (buckets_ - 1)];
  }

  bool Grow() {
    size_t size = buckets_ == 0 ? kFirst : buckets_ * 2;
    auto** table = static_cast<Entry**>(calloc(size, sizeof(Entry*)));
    if (table == nullptr) return false;
    Entry** old = table_;
    size_t old_size = buckets_;
    table_ = table;
    buckets_ = size;
    for (size_t i = 0; i < old_size; ++i) {
      // From the chain's end, so that what was inserted last is still found first.
      Entry* reversed = nullptr;
      for (Entry* entry = old[i]; entry != nullptr;) {
        Entry* next = entry->in_bucket;
        entry->in_bucket = reversed;
        reversed = entry;
        entry = next;
      }
      while (reversed != nullptr) {
        Entry* next = reversed->in_bucket;
        Entry** bucket = Bucket(reversed->host);
        reversed->in_bucket = *bucket;
        *bucket = reversed;
        reversed = next;
      }
    }
    free(old);
    return true;
  }

  Entry** table_ = nullptr;
  size_t buckets_ = 0;  // a power of two
  size_t entries_ = 0;
};

}  // namespace vgpu::cudart

#endif  // SHIMS_CUDART_HOST_TABLE_H_
