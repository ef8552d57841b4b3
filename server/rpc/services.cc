#include "server/rpc/services.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/access/method_rules.h"
#include "server/rpc/native/services.h"
#include "server/rpc/standard/health_service.h"
#include "server/rpc/standard/reflection_answers.h"
#include "server/rpc/standard/reflection_service.h"
#include "server/rpc/triton/open_inference_service.h"

namespace rondo {

class Services::Impl {
 public:
  HeadersFirst<v1::Inference> inference;
  HeadersFirst<v1::Sessions> sessions;
  HeadersFirst<v1::Models> models;
  OpenInferenceService open_inference;
  HeadersFirst<grpc::health::v1::Health> health;
  HeadersFirst<grpc::reflection::v1alpha::ServerReflection> reflection;

  // From when on health says that a service is SERVING, while the server does not drain.
  enum class Health { kNotTold, kFromTheStart, kWithModels };
  // Every service: what health tells of it, and its name, which reflection lists.
  struct Entry {
    grpc::Service* service;
    Health health;
    const char* name;
  };
  const std::vector<Entry> entries{
      {&inference, Health::kWithModels, v1::Inference::service_full_name()},
      {&sessions, Health::kWithModels, v1::Sessions::service_full_name()},
      {&models, Health::kFromTheStart, v1::Models::service_full_name()},
      {&open_inference, Health::kWithModels, ::inference::GRPCInferenceService::service_full_name()},
      {&health, Health::kFromTheStart, grpc::health::v1::Health::service_full_name()},
      {&reflection, Health::kNotTold, grpc::reflection::v1alpha::ServerReflection::service_full_name()},
  };
  const HealthyServices healthy_services = Healthy();
  const ReflectionAnswers reflection_answers{Names(), *google::protobuf::DescriptorPool::generated_pool()};

 private:
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const Entry& entry : entries) names.push_back(entry.name);
    return names;
  }
  HealthyServices Healthy() const {
    HealthyServices services;
    for (const Entry& entry : entries) {
      if (entry.health != Health::kNotTold) services.push_back({entry.name, entry.health == Health::kWithModels});
    }
    return services;
  }
};

Services::Services() : impl_(std::make_unique<Impl>()) {}
Services::~Services() = default;

absl::Status Services::CheckRules() const {
  std::vector<std::string> methods;
  for (const Impl::Entry& entry : impl_->entries) {
    const auto* const service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(entry.name);
    for (int i = 0; i < service->method_count(); ++i) {
      methods.push_back(absl::StrCat(entry.name, "/", service->method(i)->name()));
    }
  }
  return CheckMethodRules(methods);
}

void Services::RegisterWith(grpc::ServerBuilder* builder) {
  for (const Impl::Entry& entry : impl_->entries) builder->RegisterService(entry.service);
}

void Services::ServeHotCalls(const RpcContext* context) {
  ServeInference(context, &impl_->inference);
  ServeModelInfer(context, &impl_->open_inference);
}

void Services::ServeRareCalls(const RpcContext* context) {
  ServeSessions(context, &impl_->sessions);
  ServeModels(context, &impl_->models);
  ServeOpenInference(context, &impl_->open_inference);
  ServeHealth(context, &impl_->health, &impl_->healthy_services);
  ServeReflection(context, &impl_->reflection, &impl_->reflection_answers);
}

}  // namespace rondo
