import type Docker from 'dockerode';
import { absentOk } from './dockerCalls.ts';
import type { BoxUsage } from './engine.ts';

/** What a container uses now; undefined for one that does not run. One sample: Docker's own second one takes it a second. */
export async function usageOf(container: Docker.Container): Promise<BoxUsage | undefined> {
  const stats = await absentOk(container.stats({ stream: false, 'one-shot': true }));
  const usedBytes = stats?.memory_stats.usage;
  if (stats === undefined || usedBytes === undefined) return undefined;
  const { total_inactive_file, inactive_file } = stats.memory_stats.stats;
  return {
    cpuSeconds: stats.cpu_stats.cpu_usage.total_usage / 1e9,
    // As "docker stats" shows it: the first is of cgroup v1, the second of v2.
    memoryBytes: Math.max(0, usedBytes - (total_inactive_file ?? inactive_file ?? 0)),
    processes: stats.pids_stats?.current ?? 0,
  };
}
