// The main function of a fuzz target that is built without libFuzzer.
//
//   TARGET [-dict=FILE] CORPUS_FILE...
//
// Runs every corpus file, then mutations of them: 20000, or as many as two seconds
// allow. The sequence is the same in every run. Other flags are libFuzzer's and are
// ignored. The environment changes the bounds:
//
//   FUZZ_RUNS      this many mutations, however long they take
//   FUZZ_SEED      another sequence (default 1)
//   FUZZ_TIMEOUT   seconds that one input may take (default 10)
//
// Ends with 0 when every input was survived and with 2 where a file or a variable
// cannot be read. An input that crashes the target, aborts it or takes too long is
// written to $TEST_UNDECLARED_OUTPUTS_DIR (or the working directory), its path is
// printed, and the process ends by that signal.

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

// There when the program is linked with a sanitizer: it ends the process without a
// signal, and calls this first.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

constexpr size_t kMaxInput = size_t{1} << 20;
constexpr size_t kMaxBlock = size_t{64} << 10;
constexpr uint64_t kDefaultRuns = 20000;
constexpr auto kDefaultTime = std::chrono::seconds(2);

constexpr int kFatalSignals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};

// What a signal handler needs: the input that runs, where it goes, and what the
// handlers were before (a sanitizer's, or the default).
const uint8_t* running_data = nullptr;
size_t running_size = 0;
bool running = false;
char failure_path[4096];
struct sigaction previous_action[std::size(kFatalSignals)];

void WriteAll(int fd, const void* data, size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = write(fd, at, size);
    if (written <= 0) return;
    at += written;
    size -= static_cast<size_t>(written);
  }
}

void Say(const char* text) { WriteAll(STDERR_FILENO, text, strlen(text)); }

// Async-signal-safe.
void SaveRunningInput() {
  if (!running) return;
  running = false;
  const int fd = open(failure_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) {
    Say("fuzz: the failing input could not be written to ");
  } else {
    WriteAll(fd, running_data, running_size);
    close(fd);
    Say("fuzz: failing input: ");
  }
  Say(failure_path);
  Say("\n");
}

void OnFatalSignal(int signal_number) {
  if (signal_number == SIGALRM) Say("fuzz: an input takes too long\n");
  SaveRunningInput();
  for (size_t i = 0; i < std::size(kFatalSignals); ++i) {
    if (kFatalSignals[i] == signal_number) sigaction(signal_number, &previous_action[i], nullptr);
  }
  // A fault happens again on return and abort() raises again, now with the handler
  // from before; an alarm does neither.
  if (signal_number == SIGALRM) raise(signal_number);
}

// A signal that a sanitizer handles stays with it: it reports, and calls back.
bool HasHandler(int signal_number) {
  struct sigaction action = {};
  sigaction(signal_number, nullptr, &action);
  return (action.sa_flags & SA_SIGINFO) != 0 || action.sa_handler != SIG_DFL;
}

void InstallHandlers() {
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(SaveRunningInput);
  // A stack overflow leaves no stack for its handler.
  static char stack[size_t{64} << 10];
  stack_t alternative = {};
  alternative.ss_sp = stack;
  alternative.ss_size = sizeof(stack);
  sigaltstack(&alternative, nullptr);
  for (size_t i = 0; i < std::size(kFatalSignals); ++i) {
    if (HasHandler(kFatalSignals[i])) continue;
    struct sigaction action = {};
    action.sa_handler = OnFatalSignal;
    action.sa_flags = SA_ONSTACK;
    sigaction(kFatalSignals[i], &action, &previous_action[i]);
  }
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
}

bool ReadFile(const char* path, std::string* content) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(path, "rb"), fclose);
  if (file == nullptr) return false;
  char buffer[4096];
  size_t count;
  while ((count = fread(buffer, 1, sizeof(buffer), file.get())) > 0) content->append(buffer, count);
  return ferror(file.get()) == 0;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The quoted tokens of a libFuzzer dictionary: [name=]"text", with \\, \" and \xNN.
std::vector<std::string> ParseDictionary(const std::string& text) {
  std::vector<std::string> tokens;
  size_t line_start = 0;
  while (line_start < text.size()) {
    const size_t line_end = std::min(text.find('\n', line_start), text.size());
    const std::string line = text.substr(line_start, line_end - line_start);
    line_start = line_end + 1;
    const size_t open_quote = line.find('"');
    const size_t close_quote = line.rfind('"');
    if (line[0] == '#' || open_quote == std::string::npos || open_quote == close_quote) continue;
    std::string token;
    for (size_t i = open_quote + 1; i < close_quote; ++i) {
      if (line[i] != '\\' || i + 1 == close_quote) {
        token += line[i];
      } else if (line[i + 1] == 'x' && i + 3 < close_quote && HexValue(line[i + 2]) >= 0 &&
                 HexValue(line[i + 3]) >= 0) {
        token += static_cast<char>(HexValue(line[i + 2]) * 16 + HexValue(line[i + 3]));
        i += 3;
      } else {
        token += line[++i];
      }
    }
    if (!token.empty()) tokens.push_back(token);
  }
  return tokens;
}

class Mutator {
 public:
  Mutator(uint64_t seed, const std::vector<std::string>* corpus,
          const std::vector<std::string>* dictionary)
      : random_(seed), corpus_(*corpus), dictionary_(*dictionary) {}

  // One corpus entry, changed in one to eight places.
  std::string Next() {
    std::string input = corpus_[Below(corpus_.size())].substr(0, kMaxInput);
    const size_t changes = 1 + Below(8);
    for (size_t i = 0; i < changes; ++i) ChangeOnce(&input);
    if (input.size() > kMaxInput) input.resize(kMaxInput);
    return input;
  }

 private:
  // The modulus of a 64-bit number: the same everywhere, unlike the distributions of
  // the standard library.
  size_t Below(size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  // Mostly small, up to `bound`.
  size_t SmallBelow(size_t bound) { return Below(Below(Below(bound) + 1) + 1); }

  char InterestingByte() {
    static constexpr char kBytes[] = {'\0', '\n', '\r', '\t', ' ',  '"',    '\'',   '\\',
                                      '/',  ':',  '=',  ',',  '-',  '(',    ')',    '[',
                                      ']',  '{',  '}',  '<',  '>',  '%',    '$',    ';',
                                      '#',  '0',  '9',  'x',  '\1', '\x7f', '\x80', '\xff'};
    return kBytes[Below(sizeof(kBytes))];
  }

  std::string Token() {
    if (dictionary_.empty()) return std::string(1 + Below(4), InterestingByte());
    return dictionary_[Below(dictionary_.size())];
  }

  void ChangeOnce(std::string* input) {
    const size_t size = input->size();
    const size_t at = Below(size + 1);
    switch (Below(10)) {
      case 0:
      case 1:  // one bit
        if (at < size) (*input)[at] = static_cast<char>((*input)[at] ^ (1 << Below(8)));
        break;
      case 2:
        if (at < size) (*input)[at] = InterestingByte();
        break;
      case 3:
        input->insert(at, 1, static_cast<char>(Below(256)));
        break;
      case 4:
        input->insert(at, Token());
        break;
      case 5:
        input->erase(at, 1 + SmallBelow(size));
        break;
      case 6:  // cut off, as a read limit does
        input->resize(at);
        break;
      case 7: {  // the head of one entry, the tail of another
        const std::string& other = corpus_[Below(corpus_.size())];
        input->replace(at, std::string::npos, other, Below(other.size() + 1), kMaxInput);
        break;
      }
      case 8: {  // one byte or one piece, many times over
        const std::string piece =
            at < size && Below(2) == 0 ? input->substr(at, 1 + SmallBelow(64)) : Token();
        const size_t times = 1 + SmallBelow(kMaxBlock) / piece.size();
        std::string block;
        for (size_t i = 0; i < times; ++i) block += piece;
        input->insert(at, block);
        break;
      }
      case 9:  // digits and small numbers become large ones
        if (at < size) {
          static constexpr const char* kNumbers[] = {"0",
                                                     "-1",
                                                     "4294967296",
                                                     "18446744073709551615",
                                                     "18446744073709551616",
                                                     "ffffffffffffffff"};
          input->replace(at, 1, kNumbers[Below(std::size(kNumbers))]);
        }
        break;
    }
  }

  std::mt19937_64 random_;
  const std::vector<std::string>& corpus_;
  const std::vector<std::string>& dictionary_;
};

void RunInput(const std::string& input, unsigned timeout_seconds) {
  // A block of exactly this size, so that a read past its end is seen.
  const std::unique_ptr<uint8_t[]> copy(new uint8_t[input.size()]);
  std::copy(input.begin(), input.end(), copy.get());
  running_data = copy.get();
  running_size = input.size();
  running = true;
  alarm(timeout_seconds);
  LLVMFuzzerTestOneInput(copy.get(), input.size());
  alarm(0);
  running = false;
}

// The number in an environment variable, or `fallback` where it is not set.
uint64_t NumberFromEnvironment(const char* name, uint64_t fallback) {
  const char* text = getenv(name);
  if (text == nullptr || *text == '\0') return fallback;
  char* end = nullptr;
  const uint64_t value = strtoull(text, &end, 10);
  if (*end != '\0') {
    fprintf(stderr, "fuzz: %s: not a number: %s\n", name, text);
    exit(2);
  }
  return value;
}

bool IsSet(const char* name) {
  const char* text = getenv(name);
  return text != nullptr && *text != '\0';
}

}  // namespace

// UBSan's runtime calls this for each finding. Where ASan is linked too, the callback
// above is ASan's alone.
extern "C" void __ubsan_on_report() { SaveRunningInput(); }

int main(int argc, char** argv) {
  const char* directory = getenv("TEST_UNDECLARED_OUTPUTS_DIR");
  snprintf(failure_path, sizeof(failure_path), "%s/fuzz-failure-%d",
           directory == nullptr ? "." : directory, static_cast<int>(getpid()));

  std::vector<std::string> corpus;
  std::vector<std::string> dictionary;
  for (int i = 1; i < argc; ++i) {
    const bool is_dictionary = strncmp(argv[i], "-dict=", 6) == 0;
    if (argv[i][0] == '-' && !is_dictionary) continue;
    const char* path = argv[i] + (is_dictionary ? 6 : 0);
    std::string content;
    if (!ReadFile(path, &content)) {
      fprintf(stderr, "fuzz: %s: %s\n", path, strerror(errno));
      return 2;
    }
    if (is_dictionary) {
      dictionary = ParseDictionary(content);
    } else {
      corpus.push_back(std::move(content));
    }
  }

  const uint64_t runs = NumberFromEnvironment("FUZZ_RUNS", kDefaultRuns);
  const bool bounded_in_time = !IsSet("FUZZ_RUNS");
  const uint64_t seed = NumberFromEnvironment("FUZZ_SEED", 1);
  const auto timeout = static_cast<unsigned>(NumberFromEnvironment("FUZZ_TIMEOUT", 10));

  InstallHandlers();
  for (const std::string& input : corpus) RunInput(input, timeout);
  const size_t replayed = corpus.size();

  corpus.emplace_back();  // the empty input is a seed of every target
  RunInput(corpus.back(), timeout);
  Mutator mutator(seed, &corpus, &dictionary);
  const auto start = std::chrono::steady_clock::now();
  uint64_t mutated = 0;
  while (mutated < runs &&
         (!bounded_in_time || std::chrono::steady_clock::now() - start < kDefaultTime)) {
    RunInput(mutator.Next(), timeout);
    ++mutated;
  }
  printf("fuzz: ran %zu corpus files, the empty input and %llu mutations\n", replayed,
         static_cast<unsigned long long>(mutated));
  return 0;
}
