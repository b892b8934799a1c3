import { type Static, Type } from 'typebox';

/**
 * What boxes may reach beyond the internet, and the firewall rules that say so. The service sets them where it may; where not,
 * `spoonctl admin network apply` does, as root, from the same plan: what comes from the service are addresses, never commands.
 */

const ipv4 = '(25[0-5]|2[0-4]\\d|1?\\d?\\d)(\\.(25[0-5]|2[0-4]\\d|1?\\d?\\d)){3}';
const Ipv4 = Type.String({ pattern: `^${ipv4}$` });

export const EgressPlan = Type.Object(
  {
    /** Of the service: chains and bridges of several beside each other are apart. */
    instance: Type.String({ pattern: '^[a-z0-9]{8}$' }),
    /** Places on private addresses that boxes may reach all the same (`SPOON_GIT_HOSTS`). */
    open: Type.Array(Type.Object({ address: Ipv4, port: Type.Integer({ minimum: 1, maximum: 65_535 }) }), {
      maxItems: 1000,
    }),
    /** Name servers on private addresses. */
    resolvers: Type.Array(Ipv4, { maxItems: 16 }),
  },
  { additionalProperties: false },
);
export type EgressPlan = Static<typeof EgressPlan>;

export const EgressReport = Type.Object({
  plan: EgressPlan,
  /** Why the service could not set the rules; null when it did. */
  failure: Type.Union([Type.String(), Type.Null()]),
  /** When boxes were last tried; null: not yet. */
  checkedMs: Type.Union([Type.Integer(), Type.Null()]),
  /** What a box could reach then, and must not. */
  reached: Type.Array(Type.String()),
  /** Why nothing could be tried. */
  untried: Type.Union([Type.String(), Type.Null()]),
});
export type EgressReport = Static<typeof EgressReport>;

/** Never for a box, listed or not: clouds answer with credentials there. */
const metadata = ['169.254.0.0/16', '100.100.100.200/32', '192.0.0.192/32'];
/** Not the internet: "this host", private, carrier-grade NAT, special and reserved; Azure's host, which is none of these. */
const notInternet = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '172.16.0.0/12', '192.0.0.0/24', '192.168.0.0/16'],
  ...['198.18.0.0/15', '224.0.0.0/3', '168.63.129.16/32'],
];

/** A network interface has at most 15 characters. */
export function bridgePrefix(instance: string): string {
  return `spoon${instance.slice(0, 6)}`;
}

function chainNames(instance: string): { forward: string; input: string } {
  return { forward: `SPOON-FWD-${instance}`, input: `SPOON-IN-${instance}` };
}

const lockSeconds = 5;
/** Not "port unreachable": a box sees "no route to host", which nothing but a firewall says at once, and a check can tell. */
const reject = '-j REJECT --reject-with icmp-admin-prohibited';

/**
 * The whole chains, replaced in one step each time (`iptables-restore --noflush` is one transaction), and one jump to each from
 * Docker's chain for its users and from INPUT: what a box sends to this machine itself is not forwarded. Nothing else is touched.
 */
export function egressScript({ instance, open, resolvers }: EgressPlan): string {
  const { forward, input } = chainNames(instance);
  const opened = open.map(({ address, port }) => `-d ${address} -p tcp --dport ${port} -j RETURN`);
  const named = resolvers.flatMap((address) =>
    ['udp', 'tcp'].map((transport) => `-d ${address} -p ${transport} --dport 53 -j RETURN`),
  );
  const answers = '-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN';
  const chain = (name: string, rules: readonly string[]): string[] => rules.map((rule) => `-A ${name} ${rule}`);
  const four = [
    ...chain(forward, [answers, ...named, ...metadata.map((range) => `-d ${range} ${reject}`), ...opened]),
    ...chain(
      forward,
      notInternet.map((range) => `-d ${range} ${reject}`),
    ),
    ...chain(input, [answers, ...named, ...metadata.map((range) => `-d ${range} ${reject}`), ...opened, reject]),
  ];
  // Networks of boxes have no IPv6; should one get it, nothing of it is let through.
  const sixth = '-j REJECT --reject-with icmp6-adm-prohibited';
  const six = [...chain(forward, [sixth]), ...chain(input, [sixth])];
  return `set -eu
command -v iptables-restore >/dev/null || { echo 'iptables is not installed' >&2; exit 1; }
# The one of the two that Docker uses. To ask the legacy one would make its tables where there are none.
tool() {
  for each in "$1" "$1-nft" "$1-legacy"; do
    case $each in *-legacy) [ -s "/proc/net/$2" ] || continue ;; esac
    if "$each" -w ${lockSeconds} -S DOCKER-USER >/dev/null 2>&1; then echo "$each"; return; fi
  done
  echo "$1"
}
fill() {
  "$1-restore" -w ${lockSeconds} --noflush
}
hook() {
  "$1" -w ${lockSeconds} -C "$2" -i '${bridgePrefix(instance)}+' -j "$3" 2>/dev/null ||
    "$1" -w ${lockSeconds} -I "$2" 1 -i '${bridgePrefix(instance)}+' -j "$3"
}
hooks() {
  before=FORWARD
  if "$1" -w ${lockSeconds} -S DOCKER-USER >/dev/null 2>&1; then before=DOCKER-USER; fi
  hook "$1" "$before" ${forward}
  hook "$1" INPUT ${input}
}
four=$(tool iptables ip_tables_names)
fill "$four" <<'END'
${restored(instance, four)}
END
hooks "$four"
six=$(tool ip6tables ip6_tables_names)
if [ -e /proc/net/if_inet6 ] && "$six" -w ${lockSeconds} -S INPUT >/dev/null 2>&1; then
  fill "$six" <<'END'
${restored(instance, six)}
END
  hooks "$six"
fi
`;
}

function restored(instance: string, rules: readonly string[]): string {
  const chains = Object.values(chainNames(instance)).map((name) => `:${name} - [0:0]`);
  return ['*filter', ...chains, ...rules, 'COMMIT'].join('\n');
}

/** Takes away what {@link egressScript} made, by whichever of the tools it was, and succeeds when there is nothing. */
export function removeEgressScript(instance: string): string {
  const { forward, input } = chainNames(instance);
  return `set -u
for tool in iptables ip6tables iptables-nft ip6tables-nft iptables-legacy ip6tables-legacy; do
  command -v "$tool" >/dev/null || continue
  case $tool in
    iptables-legacy) [ -s /proc/net/ip_tables_names ] || continue ;;
    ip6tables-legacy) [ -s /proc/net/ip6_tables_names ] || continue ;;
  esac
  for jump in 'DOCKER-USER ${forward}' 'FORWARD ${forward}' 'INPUT ${input}'; do
    set -- $jump
    while "$tool" -w ${lockSeconds} -D "$1" -i '${bridgePrefix(instance)}+' -j "$2" 2>/dev/null; do :; done
  done
  for chain in ${forward} ${input}; do
    if "$tool" -w ${lockSeconds} -F "$chain" 2>/dev/null; then "$tool" -w ${lockSeconds} -X "$chain"; fi
  done
done
`;
}
