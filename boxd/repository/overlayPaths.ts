import { HomeDirectory } from '../home/homeDirectory.ts';
import { ManifestFile } from '../overlay/manifest.ts';

/** The paths of this home that Spoon keeps itself, whatever a repository has there. */
export function overlayPaths(home: string): string[] {
  const directory = HomeDirectory.open(home);
  try {
    return [...new ManifestFile().load(directory).entries.keys()];
  } finally {
    directory.close();
  }
}
