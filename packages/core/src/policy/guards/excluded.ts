// Holds for nodes that somebody, or some other controller, asked everybody to leave alone.
import { excludingMarks, othersTaints } from '../../marks/excluded.ts';
import { type Guard, hold, pass } from '../guard.ts';

export const excluded: Guard = {
  name: 'excluded',
  brake: true,
  evaluate: ({ node }) => {
    for (const mark of excludingMarks) {
      const values = [node.labels[mark], node.annotations[mark]];
      if (values.some((value) => value !== undefined && value !== 'false'))
        return hold(`it is marked ${mark}`);
    }
    const taint = node.taints.find(({ key }) => othersTaints.includes(key));
    return taint === undefined ? pass : hold(`another controller is removing it (taint ${taint.key})`);
  },
};
