/**
 * The host keys that large hosts publish; what ssh meets elsewhere must be told by the person.
 * Sources: docs.github.com "GitHub's SSH key fingerprints", docs.gitlab.com "SSH host keys fingerprints",
 * support.atlassian.com "Configure SSH", docs.codeberg.org "Verifying you're connected to Codeberg".
 */
export const knownHostKeys: Readonly<Record<string, readonly string[]>> = {
  'github.com': ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl'],
  'gitlab.com': ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf'],
  'bitbucket.org': ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIazEu89wgQZ4bqs3d63QSMzYVa0MuJ2e2gKTKqu+UUO'],
  'codeberg.org': ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIVIC02vnjFyL+I4RHfvIGNtOgJMe769VTF1VR4EB3ZB'],
};
