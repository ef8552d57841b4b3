#include "server/access/method_rules.h"

#include "absl/algorithm/container.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/invalid.h"

namespace rondo {
namespace {

constexpr MethodRule kRules[] = {
    {"grpc.health.v1.Health/Check", Role::kAnyone},
    {"grpc.health.v1.Health/Watch", Role::kAnyone},
    {"grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Role::kPredict},

    {"rondo.v1.Inference/Predict", Role::kPredict},
    {"rondo.v1.Inference/StreamPredict", Role::kPredict},
    {"rondo.v1.Inference/Forecast", Role::kPredict},
    {"rondo.v1.Inference/Generate", Role::kPredict},
    {"rondo.v1.Models/ListModels", Role::kPredict},
    {"rondo.v1.Models/GetModel", Role::kPredict},
    {"rondo.v1.Sessions/CreateSession", Role::kSessions},
    {"rondo.v1.Sessions/GetSession", Role::kSessions},
    {"rondo.v1.Sessions/ListSessions", Role::kSessions},
    {"rondo.v1.Sessions/DeleteSession", Role::kSessions},
    {"rondo.v1.Sessions/DeleteSessions", Role::kSessions},
    {"rondo.v1.Sessions/ForkSession", Role::kSessions},
    {"rondo.v1.Sessions/ExportSession", Role::kSessions},
    {"rondo.v1.Sessions/ImportSession", Role::kSessions},

    {"inference.GRPCInferenceService/ServerLive", Role::kPredict},
    {"inference.GRPCInferenceService/ServerReady", Role::kPredict},
    {"inference.GRPCInferenceService/ServerMetadata", Role::kPredict},
    {"inference.GRPCInferenceService/ModelReady", Role::kPredict},
    {"inference.GRPCInferenceService/ModelMetadata", Role::kPredict},
    {"inference.GRPCInferenceService/ModelConfig", Role::kPredict},
    {"inference.GRPCInferenceService/ModelInfer", Role::kPredict},
    {"inference.GRPCInferenceService/ModelStreamInfer", Role::kPredict},
    {"inference.GRPCInferenceService/RepositoryIndex", Role::kPredict},
    {"inference.GRPCInferenceService/ModelStatistics", Role::kAdmin},  // they tell of all tenants
    {"inference.GRPCInferenceService/RepositoryModelLoad", Role::kAdmin},
    {"inference.GRPCInferenceService/RepositoryModelUnload", Role::kAdmin},
    {"inference.GRPCInferenceService/SystemSharedMemoryStatus", Role::kAdmin},
    {"inference.GRPCInferenceService/SystemSharedMemoryRegister", Role::kAdmin},
    {"inference.GRPCInferenceService/SystemSharedMemoryUnregister", Role::kAdmin},
    {"inference.GRPCInferenceService/CudaSharedMemoryStatus", Role::kAdmin},
    {"inference.GRPCInferenceService/CudaSharedMemoryRegister", Role::kAdmin},
    {"inference.GRPCInferenceService/CudaSharedMemoryUnregister", Role::kAdmin},
    {"inference.GRPCInferenceService/TraceSetting", Role::kAdmin},
    {"inference.GRPCInferenceService/LogSettings", Role::kAdmin},
};

}  // namespace

absl::string_view NameOf(Role role) {
  switch (role) {
    case Role::kAnyone:
      return "anyone";
    case Role::kPredict:
      return "predict";
    case Role::kSessions:
      return "sessions";
    case Role::kAdmin:
      return "admin";
  }
  return {};
}

absl::StatusOr<Role> ParseRole(absl::string_view word) {
  for (const Role role : {Role::kPredict, Role::kSessions, Role::kAdmin}) {
    if (word == NameOf(role)) return role;
  }
  return Invalid("\"", absl::CHexEscape(word), "\": wanted a role: predict, sessions or admin");
}

absl::Span<const MethodRule> MethodRules() { return kRules; }

const MethodRule* RuleOf(absl::string_view method) {
  const MethodRule* const found =
      absl::c_find_if(kRules, [&](const MethodRule& rule) { return rule.method == method; });
  return found == std::end(kRules) ? nullptr : found;
}

absl::Status CheckMethodRules(absl::Span<const std::string> methods) {
  for (const std::string& method : methods) {
    if (RuleOf(method) != nullptr) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("no rule says who may call ", method, ": wanted one in server/access/method_rules.cc"));
  }
  for (const MethodRule& rule : kRules) {
    const auto same = [&](const MethodRule& other) { return other.method == rule.method; };
    if (absl::c_count(methods, rule.method) == 1 && absl::c_count_if(kRules, same) == 1) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("the rule for ", rule.method, " is no rule for one method that is served"));
  }
  return absl::OkStatus();
}

}  // namespace rondo
