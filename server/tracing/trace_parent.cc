#include "server/tracing/trace_parent.h"

#include <cstddef>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"

namespace rondo {
namespace {

constexpr size_t kLength = 55;  // of version 00
constexpr size_t kMostTraceState = 512;

// -1: no lower-case hexadecimal digit.
int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Reads two digits a byte. False: there is something else in `text`, or not as many.
template <size_t kBytes>
bool ReadHex(absl::string_view text, std::array<uint8_t, kBytes>* bytes) {
  if (text.size() != 2 * kBytes) return false;
  for (size_t i = 0; i < kBytes; ++i) {
    const int high = DigitOf(text[2 * i]);
    const int low = DigitOf(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    (*bytes)[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return true;
}

template <size_t kBytes>
bool IsZero(const std::array<uint8_t, kBytes>& bytes) {
  return absl::c_all_of(bytes, [](uint8_t byte) { return byte == 0; });
}

}  // namespace

std::optional<TraceParent> ParseTraceParent(absl::string_view text) {
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  std::array<uint8_t, 1> version{};
  std::array<uint8_t, 1> flags{};
  TraceParent parent{};
  if (!ReadHex(text.substr(0, 2), &version) || version[0] == 0xff) return std::nullopt;
  if (text.size() > kLength && (version[0] == 0 || text[kLength] != '-')) return std::nullopt;
  if (!ReadHex(text.substr(3, 32), &parent.trace_id) || IsZero(parent.trace_id)) return std::nullopt;
  if (!ReadHex(text.substr(36, 16), &parent.span_id) || IsZero(parent.span_id)) return std::nullopt;
  if (!ReadHex(text.substr(53, 2), &flags)) return std::nullopt;
  parent.sampled = (flags[0] & 1) != 0;
  return parent;
}

bool IsTraceState(absl::string_view text) {
  return !text.empty() && text.size() <= kMostTraceState &&
         absl::c_all_of(text, [](unsigned char c) { return absl::ascii_isprint(c); });
}

}  // namespace rondo
