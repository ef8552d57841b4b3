#include "server/access/access_options.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/unix_scheme.h"

namespace rondo {
namespace {

// Whether only this machine reaches the address. A name is taken to be another machine's way here, but "localhost".
bool IsLoopback(absl::string_view address) {
  if (IsUnix(address)) return true;
  const absl::string_view host = address.substr(0, address.rfind(':'));
  const bool is_v4 = absl::StartsWith(host, "127.") && host.find_first_not_of("0123456789.") == absl::string_view::npos;
  return host == "localhost" || host == "[::1]" || is_v4;
}

absl::Status CheckTls(const TlsOptions& tls) {
  if (tls.cert.empty() == tls.key.empty() && (!tls.cert.empty() || tls.client_ca.empty())) return absl::OkStatus();
  return absl::InvalidArgumentError(
      !tls.cert.empty() ? "--tls_cert is given without --tls_key: wanted both"
                        : absl::StrCat("--", tls.key.empty() ? "tls_client_ca" : "tls_key",
                                       " is given without --tls_cert: wanted it too, else there is no TLS"));
}

}  // namespace

OptionGroup AccessGroup(AccessOptions* options) {
  return {
      "Who may connect and call",
      {{"tls_cert", TextOrNone(&options->tls.cert, "FILE"),
        "TLS 1.2 or newer for gRPC and /metrics: the server's certificate in PEM form, then those that lead to its CA. "
        "This file and the next three are read again when they change; new connections and calls then have the new "
        "ones. Empty: no TLS."},
       {"tls_key", TextOrNone(&options->tls.key, "FILE"), "The key of --tls_cert in PEM form, not encrypted."},
       {"tls_client_ca", TextOrNone(&options->tls.client_ca, "FILE"),
        "CAs in PEM form, one of which must have signed the certificate that each client shows (mutual TLS). Empty: "
        "clients need none."},
       {"tokens_file", TextOrNone(&options->gate.tokens_file, "FILE"),
        "Who may call. Each line: the SHA-256 of a token in hex, or cert:NAME for a certificate of --tls_client_ca; "
        "the tenant (-: the one without a name); the role (predict, sessions or admin); until when, if it ends. Or "
        "`limit TENANT KIND=VALUE...`, of sessions, streams, connections, steps_per_second, bytes_per_second, "
        "session_lifetime (like 12h) and class (a word by which /metrics sums up tenants; 16 of them at most). # "
        "begins a comment. Calls then need the metadata `authorization: Bearer TOKEN` or such a certificate, but for "
        "health. Empty, and no --jwks_file: whoever connects may call everything."},
       {"jwks_file", TextOrNone(&options->gate.jwt.jwks_file, "FILE"),
        "Keys that sign JSON Web Tokens: a JWK set, read again when it changes. A token signed by one of them (RS256 "
        "or ES256) with the claims iss, aud, exp, tenant and role stands for a line of --tokens_file."},
       {"jwt_issuer", TextOrNone(&options->gate.jwt.issuer, "TEXT"), "The claim iss of the tokens of --jwks_file."},
       {"jwt_audience", TextOrNone(&options->gate.jwt.audience, "TEXT"),
        "What is, or is in, the claim aud of the tokens of --jwks_file."},
       {"audit_log", Switch(&options->audit_log),
        "Log a line for each session that a call deletes, exports, imports or forks: its id, tenant, peer, request "
        "id. For a call that deletes many: what it was asked for, and their number."},
       {"insecure", Switch(&options->insecure),
        "Listen without TLS where other machines can reach --listen or --http_listen: for a network that is safe by "
        "itself, or behind a proxy that does TLS."},
       {"max_calls_per_connection", Number(&options->connections.max_calls, {1, 1'000'000}, "N"),
        "Most calls and streams of one connection at once; its client lets further ones wait."},
       {"max_connection_age",
        Number(&options->connections.max_age, {absl::Seconds(1), absl::Hours(24 * 24)}, "DURATION",
               {{"0", absl::ZeroDuration()}}),
        "A connection takes no new calls after this time, so its client makes a new one, with the certificates of the "
        "day; what runs goes on. 0: whatever its age."},
       {"max_connection_idle",
        Number(&options->connections.max_idle, {absl::Seconds(1), absl::Hours(24 * 24)}, "DURATION",
               {{"0", absl::ZeroDuration()}}),
        "A connection without calls for this long is closed; its client makes a new one with its next call. 0: never."},
       {"max_grpc_bytes",
        Number(&options->connections.max_buffer_bytes, {1 << 20, uint64_t{1} << 50}, "BYTES", {{"0", 0}}),
        "Memory that gRPC may hold for what clients send, also in parts, and that is not read yet. Past it calls are "
        "ended and connections closed. 0: half of --max_memory."},
       {"reflection", Switch(&options->gate.reflection), "Tell callers what services and methods there are."},
       {"admin_methods", Switch(&options->gate.admin),
        "Let those with the role admin call what takes it. --noadmin_methods: nobody may."}}};
}

absl::Status CheckAccess(const AccessOptions& options, absl::Span<const std::string> addresses) {
  if (absl::Status tls = CheckTls(options.tls); !tls.ok()) return tls;
  const JwtOptions& jwt = options.gate.jwt;
  if (jwt.jwks_file.empty() != jwt.issuer.empty() || jwt.jwks_file.empty() != jwt.audience.empty()) {
    return absl::InvalidArgumentError("--jwks_file, --jwt_issuer and --jwt_audience: wanted all three or none");
  }
  if (options.insecure || !options.tls.cert.empty()) return absl::OkStatus();
  for (const std::string& address : addresses) {
    if (address.empty() || IsLoopback(address)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("listening on ", address,
                     " lets other machines connect, unencrypted: wanted --tls_cert and --tls_key, or --insecure if the "
                     "network is safe or a proxy in front does TLS"));
  }
  return absl::OkStatus();
}

}  // namespace rondo
