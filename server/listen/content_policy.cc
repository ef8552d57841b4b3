#include <openssl/sha.h>

#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/listen/index_page.h"

namespace rondo {
namespace {

// The source expression for what stands inside of <NAME>.
std::string PolicyHashOf(absl::string_view page, absl::string_view name) {
  const std::string opening = absl::StrCat("<", name, ">");
  const size_t from = page.find(opening) + opening.size();
  const absl::string_view inside = page.substr(from, page.find(absl::StrCat("</", name, ">"), from) - from);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(inside.data()), inside.size(), digest.data());
  const absl::string_view bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
  return absl::StrCat("'sha256-", absl::Base64Escape(bytes), "'");
}

}  // namespace

std::string ContentPolicyOf(absl::string_view page) {
  return absl::StrCat("default-src 'none'; script-src ", PolicyHashOf(page, "script"), "; style-src ",
                      PolicyHashOf(page, "style"),
                      "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
                      "frame-ancestors 'none'");
}

}  // namespace rondo
