/* launch.h - cudaLaunchKernelEx with the kernel's parameter types kept.
 *
 * The launch is written the same for nvcc and for the stand-in:
 *
 *     cudaLaunchKernelEx(&config, kernel, arguments...);
 *
 * The macro below adds the text of the call, from which faults take the kernel's name. The template
 * stores a signature beside the kernel's address: how to copy an argument list (CUDA copies it when
 * it is launched), how to call the kernel with the copy, and which arguments are pointers (each is
 * looked up in the table of allocations). cudaLaunchKernel, cudaLaunchCooperativeKernel and
 * cudaLaunchKernelExC work too where they are given the kernel itself rather than a `const void *`,
 * or where the kernel was launched by its type before.
 */
#pragma once

#include <cuda_runtime.h>

#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace cuda_on_cpu {

using pointer_visitor = void (*)(void *context, int position, const void *pointer);

struct signature {
    std::shared_ptr<void> (*copy_arguments)(void **arguments);
    void (*call)(const void *kernel, const void *copied);
    void (*each_pointer)(const void *copied, pointer_visitor visit, void *context);
};

template <typename... Parameters> struct signature_of {
    using stored = std::tuple<Parameters...>;

    template <size_t... Index>
    static std::shared_ptr<void> copy_each([[maybe_unused]] void **arguments, std::index_sequence<Index...>) {
        return std::make_shared<stored>(*static_cast<Parameters *>(arguments[Index])...);
    }
    static std::shared_ptr<void> copy_arguments(void **arguments) {
        return copy_each(arguments, std::index_sequence_for<Parameters...>());
    }
    static void call(const void *kernel, const void *copied) {
        std::apply(reinterpret_cast<void (*)(Parameters...)>(const_cast<void *>(kernel)),
                   *static_cast<const stored *>(copied));
    }
    template <typename T>
    static void visit_one(const T &argument, int position, pointer_visitor visit, void *context) {
        if constexpr (std::is_pointer_v<T> && !std::is_function_v<std::remove_pointer_t<T>>)
            visit(context, position, (const void *)argument);
        else (void)argument, (void)position, (void)visit, (void)context;
    }
    static void each_pointer(const void *copied, pointer_visitor visit, void *context) {
        std::apply(
            [&](const Parameters &...arguments) {
                int position = 0;
                (visit_one(arguments, ++position, visit, context), ...);
            },
            *static_cast<const stored *>(copied));
    }
    static constexpr signature table = {copy_arguments, call, each_pointer};
};

/* Makes a kernel known. `text` is what stood between the parentheses of the launch, or NULL. */
void register_kernel(const void *kernel, const signature &signature, const char *text);

template <typename... Parameters, typename... Arguments>
cudaError_t launch(const char *text, const cudaLaunchConfig_t *config, void (*kernel)(Parameters...),
                   Arguments &&...arguments) {
    register_kernel((const void *)kernel, signature_of<Parameters...>::table, text);
    return [&](Parameters... coerced) {
        void *list[] = {(void *)&coerced..., nullptr};
        return ::cudaLaunchKernelExC(config, (const void *)kernel, list);
    }(std::forward<Arguments>(arguments)...);
}

} // namespace cuda_on_cpu

#define cudaLaunchKernelEx(...) cuda_on_cpu::launch(#__VA_ARGS__, __VA_ARGS__)

template <typename... Parameters>
cudaError_t cudaLaunchKernel(void (*kernel)(Parameters...), dim3 grid, dim3 block, void **arguments,
                             size_t shared_bytes = 0, cudaStream_t stream = nullptr) {
    cuda_on_cpu::register_kernel((const void *)kernel, cuda_on_cpu::signature_of<Parameters...>::table, nullptr);
    return ::cudaLaunchKernel((const void *)kernel, grid, block, arguments, shared_bytes, stream);
}

template <typename... Parameters>
cudaError_t cudaLaunchCooperativeKernel(void (*kernel)(Parameters...), dim3 grid, dim3 block, void **arguments,
                                        size_t shared_bytes = 0, cudaStream_t stream = nullptr) {
    cuda_on_cpu::register_kernel((const void *)kernel, cuda_on_cpu::signature_of<Parameters...>::table, nullptr);
    return ::cudaLaunchCooperativeKernel((const void *)kernel, grid, block, arguments, shared_bytes, stream);
}

template <typename... Parameters>
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t *config, void (*kernel)(Parameters...), void **arguments) {
    cuda_on_cpu::register_kernel((const void *)kernel, cuda_on_cpu::signature_of<Parameters...>::table, nullptr);
    return ::cudaLaunchKernelExC(config, (const void *)kernel, arguments);
}

/* NVIDIA declares these three for kernels only where nvcc compiles. */
template <typename... Parameters>
cudaError_t cudaFuncSetAttribute(void (*kernel)(Parameters...), cudaFuncAttribute attribute, int value) {
    return ::cudaFuncSetAttribute((const void *)kernel, attribute, value);
}

template <typename... Parameters>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *attributes, void (*kernel)(Parameters...)) {
    return ::cudaFuncGetAttributes(attributes, (const void *)kernel);
}

template <typename... Parameters>
cudaError_t cudaFuncSetCacheConfig(void (*kernel)(Parameters...), cudaFuncCache preference) {
    return ::cudaFuncSetCacheConfig((const void *)kernel, preference);
}
