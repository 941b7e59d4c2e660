// A journal of a busy Ollama, for benchmarks: access lines with the fields that journald
// puts beside them, model loads, and a result of discovery now and then.

#ifndef DIAG_JOURNAL_SAMPLE_JOURNAL_H_
#define DIAG_JOURNAL_SAMPLE_JOURNAL_H_

#include <cstddef>
#include <string>

namespace vgpu::journal {

// About `size` bytes of `journalctl -o json`, the same ones each time.
std::string SampleJournal(size_t size);

}  // namespace vgpu::journal

#endif  // DIAG_JOURNAL_SAMPLE_JOURNAL_H_
