// SPDX-License-Identifier: Apache-2.0
import "@patternfly/patternfly/components/DescriptionList/description-list.css";
import type { ReactNode } from "react";
import { Card } from "./card.tsx";

/** Terms with what they are, side by side. */
export function Facts({ children }: { children: ReactNode }) {
    return <dl className="pf-v6-c-description-list pf-m-horizontal pf-m-compact">{children}</dl>;
}

export function Fact({ term, children }: { term: ReactNode; children: ReactNode }) {
    return (
        <div className="pf-v6-c-description-list__group">
            <dt className="pf-v6-c-description-list__term">
                <span className="pf-v6-c-description-list__text">{term}</span>
            </dt>
            <dd className="pf-v6-c-description-list__description">
                <div className="pf-v6-c-description-list__text">{children}</div>
            </dd>
        </div>
    );
}

export function FactCard({ title, children }: { title: string; children: ReactNode }) {
    return (
        <Card title={title}>
            <Facts>{children}</Facts>
        </Card>
    );
}
