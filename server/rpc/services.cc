#include "server/rpc/services.h"

#include <vector>

#include "server/rpc/native/inference_service.h"
#include "server/rpc/native/models_service.h"
#include "server/rpc/native/sessions_service.h"
#include "server/rpc/standard/health_service.h"
#include "server/rpc/standard/reflection_answers.h"
#include "server/rpc/standard/reflection_service.h"
#include "server/rpc/triton/open_inference_service.h"

namespace rondo {

class Services::Impl {
 public:
  v1::Inference::AsyncService inference;
  v1::Sessions::AsyncService sessions;
  v1::Models::AsyncService models;
  OpenInferenceService open_inference;
  grpc::health::v1::Health::AsyncService health;
  grpc::reflection::v1alpha::ServerReflection::AsyncService reflection;

  // Every service: whether health tells of it, and its name, which reflection lists.
  struct Entry {
    grpc::Service* service;
    bool has_health;
    const char* name;
  };
  const std::vector<Entry> entries{
      {&inference, true, v1::Inference::service_full_name()},
      {&sessions, true, v1::Sessions::service_full_name()},
      {&models, true, v1::Models::service_full_name()},
      {&open_inference, true, ::inference::GRPCInferenceService::service_full_name()},
      {&health, false, grpc::health::v1::Health::service_full_name()},
      {&reflection, false, grpc::reflection::v1alpha::ServerReflection::service_full_name()},
  };
  const ServiceNames healthy_names = Names(/*with_health_only=*/true);
  const ReflectionAnswers reflection_answers{Names(/*with_health_only=*/false),
                                             *google::protobuf::DescriptorPool::generated_pool()};

 private:
  ServiceNames Names(bool with_health_only) const {
    ServiceNames names;
    for (const Entry& entry : entries) {
      if (entry.has_health || !with_health_only) names.push_back(entry.name);
    }
    return names;
  }
};

Services::Services() : impl_(std::make_unique<Impl>()) {}
Services::~Services() = default;

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
  ServeHealth(context, &impl_->health, &impl_->healthy_names);
  ServeReflection(context, &impl_->reflection, &impl_->reflection_answers);
}

}  // namespace rondo
