#include "client/flags/connection_flags.h"

#include <cstddef>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/files.h"
#include "base/invalid.h"

namespace rondo {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 20;

absl::StatusOr<std::string> ReadFlagFile(absl::string_view flag, const std::string& path) {
  absl::StatusOr<std::string> text = ReadSmallFile(path, kMaxFileBytes);
  const std::string what = absl::StrCat("--", flag, "=", path);
  if (!text.ok()) return Invalid(what, ": ", text.status().message());
  absl::StripAsciiWhitespace(&*text);
  if (text->empty()) return Invalid(what, ": the file is empty");
  return text;
}

absl::Status ReadTls(const ConnectionFlags& flags, ClientTlsOptions* tls) {
  tls->server_name = flags.tls_server_name;
  const struct {
    absl::string_view flag;
    const std::string& path;
    std::string* text;
  } kFiles[] = {{"tls_ca", flags.tls_ca, &tls->root_certificates},
                {"tls_cert", flags.tls_cert, &tls->certificate_chain},
                {"tls_key", flags.tls_key, &tls->private_key}};
  for (const auto& file : kFiles) {
    if (file.path.empty()) continue;
    absl::StatusOr<std::string> text = ReadFlagFile(file.flag, file.path);
    if (!text.ok()) return text.status();
    *file.text = *std::move(text);
  }
  if (flags.tls_cert.empty() == flags.tls_key.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("--tls_cert and --tls_key: wanted both or none");
}

}  // namespace

std::vector<Option> ConnectionRows(ConnectionFlags* flags) {
  return {
      {"tls", Switch(&flags->tls), "Encrypt the connection; each of the --tls_ flags implies it."},
      {"tls_ca", TextOrNone(&flags->tls_ca, "FILE"),
       "The authorities that may sign the server's certificate, PEM. Empty: the system's."},
      {"tls_cert", TextOrNone(&flags->tls_cert, "FILE"),
       "This client's certificate, PEM, for a server that asks for one."},
      {"tls_key", TextOrNone(&flags->tls_key, "FILE"), "The private key of --tls_cert, PEM."},
      {"tls_server_name", TextOrNone(&flags->tls_server_name, "NAME"),
       "The name that the server's certificate must have. Empty: the host of the address."},
      {"token_file", TextOrNone(&flags->token_file, "FILE"),
       "The file with the token that says who is asking. Without TLS it is sent for all on the way to read."},
  };
}

absl::Status ReadConnectionFlags(const ConnectionFlags& flags, ClientOptions* options) {
  if (flags.tls || !(flags.tls_ca + flags.tls_cert + flags.tls_key + flags.tls_server_name).empty()) {
    if (absl::Status status = ReadTls(flags, &options->tls.emplace()); !status.ok()) return status;
  }
  if (flags.token_file.empty()) return absl::OkStatus();
  options->token = [path = flags.token_file] { return ReadFlagFile("token_file", path).value_or(""); };
  return ReadFlagFile("token_file", flags.token_file).status();
}

}  // namespace rondo
