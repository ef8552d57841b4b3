#include "client/channel.h"

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdlib>
#include <initializer_list>
#include <map>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace rondo {
namespace {

// gRPC aborts the process if a name or a value breaks these rules.
bool IsHeaderName(absl::string_view name) {
  return !name.empty() && !absl::StartsWith(name, "grpc-") &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-' || c == '_' || c == '.';
         });
}

bool IsHeaderText(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isprint(c); });
}

absl::Status CheckTls(const ClientOptions& options) {
  if (!options.tls.has_value()) return absl::OkStatus();
  if (options.credentials != nullptr) {
    return absl::InvalidArgumentError("tls and credentials are given: wanted one at most");
  }
  if (options.tls->certificate_chain.empty() != options.tls->private_key.empty()) {
    return absl::InvalidArgumentError("a certificate and its private key are given together: wanted both or none");
  }
  return absl::OkStatus();
}

int Milliseconds(absl::Duration duration) {
  return static_cast<int>(std::clamp<int64_t>(absl::ToInt64Milliseconds(duration), 1, INT_MAX));
}

// The first of these variables of the environment that has a value; empty: none has.
std::string FirstSet(std::initializer_list<const char*> variables) {
  for (const char* variable : variables) {
    const char* value = std::getenv(variable);
    if (value != nullptr && *value != '\0') return value;
  }
  return "";
}

// gRPC's channel arguments by name.
std::map<std::string, std::variant<int, std::string>> ArgumentsOf(const std::string& target,
                                                                  const ClientOptions& options,
                                                                  const std::string& found_by) {
  std::map<std::string, std::variant<int, std::string>> arguments = {
      {GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, static_cast<int>(std::min<size_t>(options.max_reply_bytes, INT_MAX))},
      {GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kInitialReconnectMs},
      {GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kMinReconnectMs},
      {GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectMs},
      {GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, kMinDnsResolutionMs},
      // Clients of one process share connections to an address otherwise, and each other's backoff.
      {GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1},
  };
  if (options.keepalive != absl::InfiniteDuration()) {
    arguments[GRPC_ARG_KEEPALIVE_TIME_MS] = Milliseconds(options.keepalive);
    arguments[GRPC_ARG_KEEPALIVE_TIMEOUT_MS] = Milliseconds(options.keepalive / 2);
    arguments["grpc.http2.ping_timeout_ms"] = Milliseconds(options.keepalive / 2);  // newer gRPC waits a minute else
    arguments[GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA] = 0;  // no limit: a quiet stream is asked again and again
  }
  // gRPC would ask a proxy for the whole list, as if that were one host.
  if (absl::StrContains(target, ',')) arguments[GRPC_ARG_ENABLE_HTTP_PROXY] = 0;
  const bool encrypted = options.tls.has_value() || options.credentials != nullptr;
  if (!found_by.empty() && encrypted) {
    arguments[GRPC_SSL_TARGET_NAME_OVERRIDE_ARG] = found_by.substr(0, found_by.rfind(':'));
  } else if (!found_by.empty()) {
    arguments[GRPC_ARG_DEFAULT_AUTHORITY] = found_by;
  }
  if (options.tls.has_value() && !options.tls->server_name.empty()) {
    arguments[GRPC_SSL_TARGET_NAME_OVERRIDE_ARG] = options.tls->server_name;
  }
  for (const auto& [name, value] : options.channel_options) arguments[name] = value;
  return arguments;
}

}  // namespace

absl::Status CheckChannelOptions(const ClientOptions& options) {
  if (options.keepalive <= absl::ZeroDuration()) return absl::InvalidArgumentError("keepalive must be > 0");
  for (const auto& [name, value] : options.metadata) {
    if (!IsHeaderName(name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("metadata has the name '", absl::CHexEscape(name),
                       "': wanted lower-case letters, digits, '-', '_' and '.', and no name that begins with 'grpc-'"));
    }
    if (!IsHeaderText(value) && !absl::EndsWith(name, "-bin")) {
      return absl::InvalidArgumentError(absl::StrCat("the value of metadata '", name,
                                                     "' has bytes that are not printable ASCII, for which a name must ",
                                                     "end in -bin"));
    }
  }
  return CheckTls(options);
}

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const ClientOptions& options) {
  if (options.credentials != nullptr) return options.credentials;
  if (!options.tls.has_value()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = options.tls->root_certificates;
  ssl.pem_cert_chain = options.tls->certificate_chain;
  ssl.pem_private_key = options.tls->private_key;
  return grpc::SslCredentials(ssl);
}

bool IsProxied(absl::string_view host, const ClientOptions& options) {
  bool has_proxy = !FirstSet({"grpc_proxy", "https_proxy", "http_proxy"}).empty();
  for (const auto& [name, value] : options.channel_options) {
    if (name == GRPC_ARG_HTTP_PROXY) has_proxy = true;
    if (name == GRPC_ARG_ENABLE_HTTP_PROXY && value == std::variant<int, std::string>(0)) return false;
  }
  const std::string not_proxied = FirstSet({"no_grpc_proxy", "no_proxy"});
  for (const absl::string_view ending : absl::StrSplit(not_proxied, absl::ByAnyChar(", "), absl::SkipEmpty())) {
    if (absl::EndsWithIgnoreCase(host, ending)) return false;
  }
  return has_proxy;
}

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target, const ClientOptions& options,
                                           const std::string& found_by) {
  grpc::ChannelArguments arguments;
  for (const auto& [name, value] : ArgumentsOf(target, options, found_by)) {
    const auto* number = std::get_if<int>(&value);
    number != nullptr ? arguments.SetInt(name, *number) : arguments.SetString(name, std::get<std::string>(value));
  }
  std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> interceptors;
  if (options.interceptors != nullptr) interceptors = options.interceptors();
  return grpc::experimental::CreateCustomChannelWithInterceptors(target, CredentialsOf(options), arguments,
                                                                 std::move(interceptors));
}

absl::Status AddMetadata(const ClientOptions& options, grpc::ClientContext* context) {
  for (const auto& [name, value] : options.metadata) context->AddMetadata(name, value);
  if (options.token == nullptr) return absl::OkStatus();
  const std::string token = options.token();
  if (token.empty() || !IsHeaderText(token) || absl::StrContains(token, ' ')) {
    return absl::InvalidArgumentError("the token is empty, or has spaces or bytes that are not printable ASCII");
  }
  context->AddMetadata("authorization", absl::StrCat("Bearer ", token));
  return absl::OkStatus();
}

}  // namespace rondo
