import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { containerIdIn, placeOnHost } from './dockerOwnContainer.ts';

const id = 'ab'.repeat(32);

describe('the container that a service is in', () => {
  for (const [what, mountinfo, expected] of [
    [
      'is known by the files that Docker mounts into it',
      `1 2 0:1 / / rw - overlay overlay rw\n3 1 8:1 /var/lib/docker/containers/${id}/hostname /etc/hostname rw - ext4 /dev/sda rw`,
      id,
    ],
    [
      'is known also where its data are on a disk of their own',
      `3 1 8:1 /docker/containers/${id}/resolv.conf /etc/resolv.conf rw - ext4 /dev/sdb rw`,
      id,
    ],
    ['is none on a machine', '26 1 254:0 / / rw,relatime - ext4 /dev/vda rw', undefined],
    [
      'is none in what another runtime made',
      `3 1 8:1 /var/lib/kubelet/pods/1f/etc-hosts /etc/hosts rw - ext4 /dev/sda rw`,
      undefined,
    ],
    [
      'is not that of somebody else, whose files lie here',
      `3 1 8:1 /var/lib/docker/containers/${id}/hostname /mnt/hostname rw - ext4 /dev/sda rw`,
      undefined,
    ],
  ] as const) {
    it(what, () => assert.equal(containerIdIn(mountinfo), expected));
  }
});

describe('a path on the host of Docker', () => {
  const mounts = [
    { Source: '/srv/spoon', Destination: '/var/lib/spoon-agent' },
    { Source: '/srv/disk', Destination: '/var/lib/spoon-agent/work/homes' },
    { Source: '', Destination: '/tmp' },
  ];
  for (const [path, expected] of [
    ['/var/lib/spoon-agent', '/srv/spoon'],
    ['/var/lib/spoon-agent/work', '/srv/spoon/work'],
    ['/var/lib/spoon-agent/work/homes/ada', '/srv/disk/ada'],
    ['/var/lib/spoon-agents', undefined],
    ['/tmp/work', undefined],
    ['/work', undefined],
  ] as const) {
    it(`of ${path} is ${expected ?? 'nowhere'}`, () => assert.equal(placeOnHost(mounts, path), expected));
  }
});
