/** Every limit that two sides check, with its unit in the name and the reason beside it. */

const kibi = 1024;
const mebi = 1024 * kibi;

// Dotfiles (design section 5)
export const maxFileBytes = 10 * mebi;
export const maxDotfilesPerUser = 10_000;
export const maxPathBytes = 1024;
export const maxSegmentBytes = 255;
export const maxPathDepth = 32;
export const maxLinkTargetBytes = 1024;
/** Files of one batch, which shares the limit of `maxFileBytes` with a single one: what others of the user wait for. */
export const maxBatchEntries = 500;
// Archives: kept in memory until all of it is known to be good
export const maxArchiveBytes = 64 * mebi;
/** Of what is compressed; dotfiles of text have about 5, a bomb has 1,000. */
export const maxArchiveRatio = 100;
/** Files of which an answer about an archive tells the names. */
export const maxNamedFiles = 1_000;

export const keptVersions = 50;
export const keptVersionsMs = 90 * 24 * 60 * 60 * 1000;

/** Files of a home that boxd says have drifted; with more than that nobody looks at each. */
export const maxReportedDrifts = 1_000;
/** Backups of one path that are named. */
export const maxLayerBackups = 20;
/** How long boxd waits with an answer while nothing drifts. */
export const driftWaitMs = 20_000;

// Files of the home in an editor. VS Code reads and writes whole files only
export const maxEditedFileBytes = 10 * mebi;
/** 20,000 names are about 1 MiB; an Explorer with more is no use to anybody. */
export const maxFolderEntries = 20_000;
/** Folders that one window may watch: an inotify watch and about 1 KiB each. */
export const maxWatchedFolders = 4096;
/** Changes told one by one. A checkout of another branch is more, and then everything is looked at again. */
export const maxChangesPerMessage = 500;

// Secrets (security.md section 6, row 72)
export const maxSecretBytes = 64 * kibi;
export const maxSecretsPerUser = 100;
/** All go into one environment, beside what is there; Linux takes 2 MiB with the arguments (execve(2), a quarter of 8 MiB of stack). */
export const maxSecretBytesPerUser = 512 * kibi;

// Agent jobs
/** It is one argument of the agent, of which Linux takes 128 KiB (execve(2), MAX_ARG_STRLEN). */
export const maxJobPromptBytes = 64 * kibi;
export const maxWaitingJobsPerUser = 50;
/** With older ones their logs go. */
export const maxKeptJobsPerUser = 200;
/** Of all kept logs and diffs of a user, as they were before they were compressed; the oldest go first. */
export const maxKeptJobBytesPerUser = 512 * mebi;
/** Of what a job prints: so much from its beginning, and so much from its end. */
export const jobLogHeadBytes = 2 * mebi;
export const jobLogTailBytes = 2 * mebi;
export const maxJobDiffBytes = 2 * mebi;
/** Of what boxd hands over at once. */
export const maxJobBatchBytes = 512 * kibi;
/** Of the names of changed files, and as much of the subjects of commits. */
export const maxJobNamesLength = 64 * kibi;
export const minJobTimeLimitMs = 1_000;
export const maxJobTimeLimitMs = 7 * 24 * 60 * 60 * 1000;
export const defaultJobTimeLimitMs = 4 * 60 * 60 * 1000;
export const maxJobMatches = 200;
/** Windows of one user that follow a log; a further one is refused. */
export const maxJobViewersPerUser = 64;

// HTTP (security.md section 4)
export const maxJsonBytes = 1 * mebi;
/** A body that anybody may send. */
export const maxPublicBytes = 4 * 1024;
export const maxHeaderBytes = 16 * kibi;
export const maxHeaderCount = 100;
export const maxUrlBytes = 8 * kibi;
/** Beyond it new connections are dropped, so that idle ones cannot take all file descriptors. */
export const maxConnections = 4096;
export const maxResponseBytes = 20 * mebi;
export const requestTimeoutMs = 60_000;
/** Requests of one user about dotfiles that are worked on at once: each may hold a file, or a list of all, in memory. */
export const maxTransfersPerUser = 8;
/** All other requests of one user at once; each may hold `maxJsonBytes`. */
export const maxRequestsPerUser = 64;
/** Requests of one user that wait for their turn, unread. */
export const maxWaitingRequestsPerUser = 512;
export const headersTimeoutMs = 10_000;

// Identity (security.md section 4)
export const defaultTokenLifeDays = 90;
/** Since it was made, however often it is renewed. */
export const maxTokenLifeDays = 365;
export const maxTokensPerOwner = 100;
export const shortestPassword = 12;
export const longestPassword = 256;
export const defaultInviteLifeDays = 3;
/** So long a person may be with the sign-in provider. */
export const oidcSignInLifeMs = 10 * 60_000;
/** Between the browser's redirect and the program that asks for its token. */
export const signInCodeLifeMs = 60_000;
/** Of an administrator who signed in: a working day, and no renewing. */
export const adminSignInLifeMs = 8 * 60 * 60 * 1000;
export const deviceCodeLifeMs = 10 * 60_000;
export const deviceIntervalMs = 3_000;

// WebSockets and terminals (security.md section 4, terminal-route.md)
export const ticketLifeMs = 30_000;
export const maxFrameBytes = 64 * kibi;
export const maxControlBytes = 64 * kibi;
export const maxTerminalsPerUser = 16;
/** How long a terminal may be shared. */
export const minShareLifeMs = 60_000;
export const maxShareLifeMs = 24 * 60 * 60 * 1000;
export const defaultShareLifeMs = 60 * 60 * 1000;
export const maxSharesPerUser = 32;
export const maxGuestViewersPerUser = 8;
export const maxPendingUpgradesPerUser = 4;
/** Windows of one user that listen to events; a further one is refused. */
export const maxSubscribersPerUser = 64;
/** Events that one subscriber may have unread before it is dropped and has to list again. */
export const maxUnreadEventBytes = 1 * mebi;
export const minColumns = 2;
export const maxColumns = 500;
export const minRows = 1;
export const maxRows = 300;
/** Output that a viewer may have outstanding; 4 MiB serves raw pipes. */
export const viewerCreditBytes = 256 * kibi;
/** In VS Code, which draws more slowly than any network brings it: all of it is drawn between Ctrl-C and the prompt. */
export const windowCreditBytes = 128 * kibi;
export const pipeCreditBytes = 4 * mebi;
export const maxCreditBytes = 16 * mebi;
/** What a terminal keeps for a viewer that comes back: `snapshotLines` of 200 bytes. Taken as it fills. */
export const replayRingBytes = 1 * mebi;
/** The shell waits when its slowest viewer is this far behind. */
export const maxViewerLagBytes = 64 * kibi;
/** Lines above the screen that a viewer gets who comes anew, or too late for the bytes. */
export const snapshotLines = 5_000;
/** Fewer lines where their colours would make it longer: it is sent whole, beside a viewer's credit. */
export const maxSnapshotBytes = 1 * mebi;
export const pingIntervalMs = 20_000;
export const deadAfterMs = 45_000;

// Boxes
/** The furthest that a box can be kept up ahead: a forgotten pin must not cost for ever. */
export const maxPinMs = 7 * 24 * 60 * 60 * 1000;

// Spoons and threads
export const maxSpoonsPerUser = 200;
export const maxThreadsPerUser = 500;
export const maxRepositoryUrlBytes = 2048;

// Commands without a terminal
export const maxArguments = 1024;
export const maxArgumentBytes = 128 * kibi;

// boxd's connections (security.md decisions 1 and 2)
export const boxdParkedConnections = 4;
export const boxdMaxConnections = 64;
export const boxdHeadBytes = 8 * kibi;
export const boxdHeadTimeoutMs = 5_000;

// The dotfiles repository
/** Of what one run prints: half of it from the beginning, half from the end. */
export const maxRunLogBytes = 1 * mebi;
/** What git may fetch of a dotfiles repository at once, and what its files may be together. */
export const maxRepositoryBytes = 1024 * mebi;
/** Of one commit of it. */
export const maxRepositoryFiles = 100_000;
/** Applies of the repository that can be gone back to. */
export const maxGenerations = 20;
/** Paths that are named of those that stay in the home when dotfiles are turned off. */
export const maxKeptNames = 100;
export const cloneTimeoutMs = 120_000;
