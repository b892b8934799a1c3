import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { DiskSpace, HealthFinding } from '../../protocol/admin.ts';
import type { BoxState, EngineName, Holder } from '../../protocol/boxes.ts';

/** Of all boxes together. */
export interface BoxFigures {
  readonly states: ReadonlyMap<BoxState, number>;
  readonly terminals: number;
  readonly viewers: number;
  readonly holders: ReadonlyMap<Holder['kind'], number>;
}

/** Where figures come from that are asked for when somebody wants them. */
export interface MetricSources {
  readonly version: string;
  readonly engine: EngineName;
  readonly boxes: () => Promise<BoxFigures>;
  readonly jobs: () => { readonly queued: number; readonly running: number };
  readonly eventSockets: () => number;
  readonly storeBytes: () => Promise<number>;
  readonly disks: () => Promise<readonly DiskSpace[]>;
  /** Unix milliseconds; null: none was made. */
  readonly lastBackupMs: () => Promise<number | null>;
  /** Since the start. */
  readonly auditFailures: () => number;
  readonly findings: () => Promise<readonly HealthFinding[]>;
  /** A figure that could not be had; the others are given all the same. */
  readonly onError: (error: unknown) => void;
}

/** One finished request, as the log has it. */
export interface FinishedRequest {
  readonly method: string;
  /** The pattern of the route; `none` where there is none. */
  readonly route: string;
  readonly status: number;
  readonly ms: number;
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

const seconds = [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Anybody may ask the listener, and each answer asks every box. */
const freshMs = 1_000;

/**
 * How the service is used, for Prometheus. Labels are states, kinds and routes of Spoon's own making: never a name of a user, a
 * path, an id, or anything else that a client chose.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #sources: MetricSources;
  readonly #requests: Histogram<'method' | 'route' | 'status'>;
  readonly #upgrades: Counter<'route' | 'status'>;
  #hasDefaults = false;
  /** Asked once for the four gauges of one answer. */
  #boxes: Promise<BoxFigures> | undefined;
  #rendered: { readonly atMs: number; readonly text: Promise<string> } | undefined;

  constructor(sources: MetricSources) {
    this.#sources = sources;
    const registers = [this.#registry];
    this.#requests = new Histogram({
      name: 'spoon_http_request_duration_seconds',
      help: 'From the first byte of a request to the last of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: seconds,
      registers,
    });
    this.#upgrades = new Counter({
      name: 'spoon_websocket_upgrades_total',
      help: 'WebSockets that were asked for, by what was answered.',
      labelNames: ['route', 'status'],
      registers,
    });
    this.#addGauges();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  requestFinished({ method, route, status, ms }: FinishedRequest): void {
    // Where no route is, the method is whatever a client wrote.
    const labels = { method: route === 'none' ? 'any' : method, route, status: String(status) };
    this.#requests.observe(labels, ms / 1000);
  }

  upgradeFinished({ route, status }: Pick<FinishedRequest, 'route' | 'status'>): void {
    this.#upgrades.inc({ route, status: String(status) });
  }

  /** All of it, in the text format of Prometheus; at most a second old. */
  render(): Promise<string> {
    // Only where somebody asks: they watch the event loop and the garbage collector.
    if (!this.#hasDefaults) collectDefaultMetrics({ register: this.#registry });
    this.#hasDefaults = true;
    const nowMs = performance.now();
    if (this.#rendered === undefined || nowMs - this.#rendered.atMs > freshMs) {
      this.#boxes = undefined;
      this.#rendered = { atMs: nowMs, text: this.#registry.metrics() };
    }
    return this.#rendered.text;
  }

  #addGauges(): void {
    const { version, engine, jobs, eventSockets, storeBytes, disks, lastBackupMs, auditFailures, findings } =
      this.#sources;
    this.#gauge('spoon_info', 'Which Spoon this is, and what it runs boxes on.', () => [[{ version, engine }, 1]]);
    this.#addBoxes();
    this.#gauge('spoon_jobs', 'Agent jobs that have not ended.', () =>
      Object.entries(jobs()).map(([state, count]) => [{ state }, count]),
    );
    this.#gauge('spoon_event_sockets', 'Windows and programs that listen for changes.', () => [[{}, eventSockets()]]);
    this.#gauge('spoon_database_bytes', 'The database with its write-ahead log.', async () => [
      [{}, await storeBytes()],
    ]);
    this.#gauge('spoon_disk_free_bytes', 'Room on the disks, by what lies there.', async () =>
      (await disks()).map(({ holds, freeBytes }) => [{ holds }, freeBytes]),
    );
    this.#gauge('spoon_disk_bytes', 'Size of the disks, by what lies there.', async () =>
      (await disks()).map(({ holds, totalBytes }) => [{ holds }, totalBytes]),
    );
    this.#gauge(
      'spoon_last_backup_timestamp_seconds',
      'When the last backup was handed out whole, as Unix time; 0: none was.',
      async () => [[{}, ((await lastBackupMs()) ?? 0) / 1000]],
    );
    new Counter({
      name: 'spoon_audit_failures_total',
      help: 'Audit entries that could not be written.',
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(auditFailures());
      },
    });
    this.#gauge('spoon_health_findings', 'What is not as it should be, by what it is about.', async () => {
      const found = await findings();
      return (['warning', 'failed'] as const).flatMap((state) =>
        [...new Set(found.map(({ about }) => about))].map((about): Sample => {
          return [
            { about, state },
            found.filter((finding) => finding.about === about && finding.state === state).length,
          ];
        }),
      );
    });
  }

  #addBoxes(): void {
    const ofBoxes = (name: string, help: string, samples: (figures: BoxFigures) => Sample[]) =>
      this.#gauge(name, help, async () => {
        this.#boxes ??= this.#sources.boxes();
        return samples(await this.#boxes);
      });
    ofBoxes('spoon_boxes', 'Boxes by state; those of users who have none are stopped.', ({ states }) =>
      [...states].map(([state, count]) => [{ state }, count]),
    );
    ofBoxes('spoon_terminals', 'Open terminals in boxes that answer.', ({ terminals }) => [[{}, terminals]]);
    ofBoxes('spoon_terminal_viewers', 'Windows and programs that look at a terminal.', ({ viewers }) => [
      [{}, viewers],
    ]);
    ofBoxes('spoon_box_holders', 'What keeps boxes up, by kind.', ({ holders }) =>
      [...holders].map(([kind, count]) => [{ kind }, count]),
    );
  }

  /** One that is read when somebody asks. What cannot be read is left out. */
  #gauge(name: string, help: string, read: () => Sample[] | Promise<Sample[]>): void {
    const { onError } = this.#sources;
    const gauge: Gauge<string> = new Gauge({
      name,
      help,
      labelNames: ['version', 'engine', 'state', 'kind', 'holds', 'about'],
      registers: [this.#registry],
      async collect() {
        try {
          const samples = await read();
          gauge.reset();
          for (const [labels, value] of samples) gauge.set(labels, value);
        } catch (error) {
          gauge.reset();
          onError(error);
        }
      },
    });
  }
}
