// Observed<T>: the answer to one look at a host.
//
// There are three answers, and they are kept apart by type, because a diagnosis
// depends on the difference between the last two:
//
//   present        it is there, and this is its value
//   absent         it was looked for and is not there
//   not observed   it could not be looked at, and this is why
//
//   Observed<Content> text = host.Read("/proc/57290/environ");
//   if (text.present()) Use(text->bytes);
//   else if (text.absent()) ...          // no such file
//   else Say(text.why_not());            // "permission denied"
//
// A value type; thread-compatible. Reading the value of an answer that is not
// present ends the program (as absl::StatusOr does).

#ifndef DIAG_HOST_OBSERVED_H_
#define DIAG_HOST_OBSERVED_H_

#include <cstdlib>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/strings/string_view.h"

namespace vgpu::host {

// The thing was looked for and is not there.
struct Absent {
  friend bool operator==(Absent, Absent) { return true; }
};

// The thing could not be looked at. `why` is for people: "permission denied",
// "not captured", "systemctl: exited by signal 11".
struct NotObserved {
  std::string why;
  friend bool operator==(const NotObserved& a, const NotObserved& b) { return a.why == b.why; }
};

template <typename T>
class Observed {
 public:
  // Default: nobody looked.
  Observed() : answer_(NotObserved{"not looked at"}) {}
  Observed(Absent absent) : answer_(absent) {}                             // NOLINT
  Observed(NotObserved reason) : answer_(std::move(reason)) {}             // NOLINT
  Observed(T value) : answer_(std::in_place_type<T>, std::move(value)) {}  // NOLINT

  bool present() const { return std::holds_alternative<T>(answer_); }
  bool absent() const { return std::holds_alternative<Absent>(answer_); }
  bool not_observed() const { return std::holds_alternative<NotObserved>(answer_); }

  const T& value() const& {
    if (!present()) std::abort();
    return *std::get_if<T>(&answer_);
  }
  // By value, so that `for (x : *Look())` does not read what is gone.
  T value() && {
    if (!present()) std::abort();
    return std::move(*std::get_if<T>(&answer_));
  }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }

  // The value, or `fallback` where there is none for either reason.
  T value_or(T fallback) const { return present() ? value() : std::move(fallback); }

  // Why it was not observed; empty for the other two answers.
  absl::string_view why_not() const {
    const NotObserved* reason = std::get_if<NotObserved>(&answer_);
    return reason == nullptr ? absl::string_view() : absl::string_view(reason->why);
  }

  // The same answer about what `f` makes of the value. `f` may itself return an
  // Observed (which is then the answer).
  template <typename F>
  auto Map(F f) const {
    using R = std::invoke_result_t<F, const T&>;
    if constexpr (requires(R r) { r.why_not(); }) {
      if (present()) return f(value());
      return R(Without<typename R::value_type>());
    } else {
      if (present()) return Observed<R>(f(value()));
      return Without<R>();
    }
  }

  using value_type = T;

  friend bool operator==(const Observed& a, const Observed& b) { return a.answer_ == b.answer_; }

 private:
  template <typename R>
  Observed<R> Without() const {
    if (absent()) return Absent{};
    return NotObserved{std::string(why_not())};
  }

  std::variant<NotObserved, Absent, T> answer_;
};

}  // namespace vgpu::host

#endif  // DIAG_HOST_OBSERVED_H_
