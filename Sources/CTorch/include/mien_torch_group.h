/// Groups of processes that train one network together, over libtorch's c10d.
///
/// The rules of `mien_torch.h` hold. Every process of a group calls the same functions in the same order; a call returns
/// once all of them have made it, and fails if one of them is gone or takes longer than the group's timeout.
#ifndef MIEN_TORCH_GROUP_H
#define MIEN_TORCH_GROUP_H

#include "mien_torch.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A group that this process belongs to, owned by its caller.
typedef struct mien_torch_group mien_torch_group;

/// How a process joins a group.
typedef struct mien_torch_group_options {
  /// Where the group's store is, a host name or address. Not null.
  const char *host;
  uint16_t port;
  /// Which process this is, from 0.
  int32_t rank;
  /// How many there are, at least 1.
  int32_t size;
  /// Whether this process makes the store (1), or connects to one that is there or will be (0).
  int32_t hosts_store;
  /// Put before the names of all entries in the store, so that an earlier attempt's are not seen. Not null.
  const char *prefix;
  /// How long a call waits for the others, in seconds.
  double timeout_seconds;
} mien_torch_group_options;

/// Joins a group, and connects the processes by gloo, over the network interface that GLOO_SOCKET_IFNAME names or the one
/// of this host's name.
int32_t mien_torch_group_join(const mien_torch_group_options *options, mien_torch_group **out,
                              char **error) MIEN_NOEXCEPT;
/// Leaves a group. Null is allowed.
void mien_torch_group_free(mien_torch_group *group) MIEN_NOEXCEPT;

/// Replaces the gradients of those `parameters` that have one, and the elements of `values` (f32), by their means over the
/// group's processes. Each process ends with the same bits.
int32_t mien_torch_group_average_inplace(mien_torch_group *group, mien_torch_tensor *const *parameters,
                                         int32_t parameter_count, mien_torch_tensor *const *values,
                                         int32_t value_count, char **error) MIEN_NOEXCEPT;
/// Replaces `values[0..<count]` by their sums over the group's processes.
int32_t mien_torch_group_sum_inplace(mien_torch_group *group, double *values, int32_t count,
                                     char **error) MIEN_NOEXCEPT;

/// Puts a copy of `bytes` into the group's store under `key`.
int32_t mien_torch_group_set(mien_torch_group *group, const char *key, const void *bytes, int64_t count,
                             char **error) MIEN_NOEXCEPT;
/// Waits until the store has an entry under `key` and copies it to `*bytes`, which the caller frees with
/// `mien_torch_bytes_free`.
int32_t mien_torch_group_get(mien_torch_group *group, const char *key, void **bytes, int64_t *count,
                             char **error) MIEN_NOEXCEPT;
/// Frees what `mien_torch_group_get` gave. Null is allowed.
void mien_torch_bytes_free(void *bytes) MIEN_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
